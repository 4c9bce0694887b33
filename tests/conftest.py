"""For all tests."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _one_main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves its script as ``__main__``, which processes then try to import."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(autouse=True, scope="session")
def _own_inventories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is known of photographs' files is not kept in the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLICKSTUDY_CACHE", str(tmp_path_factory.mktemp("inventories")))
        yield
