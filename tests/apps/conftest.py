"""What the tests of the server's parts share."""

import pytest
from still_clock import Clock


@pytest.fixture
def clock() -> Clock:
    """Starts at 1,000 seconds."""
    return Clock()
