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
