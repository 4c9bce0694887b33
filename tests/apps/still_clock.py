"""A clock for tests of what waits."""


class Clock:
    """Stands still until a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now
