"""PostgreSQL for tests, where there is a server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from study.protocol.store import EventStore

POSTGRES = os.environ.get("CLICKSTUDY_TEST_POSTGRES")


@contextmanager
def empty_schema() -> Iterator[str]:
    """The URL of an empty schema of its own: tests may run side by side."""
    assert POSTGRES is not None
    schema = f"test_{uuid.uuid4().hex}"
    engine = EventStore(POSTGRES).engine
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
    own = sa.make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield own.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()
