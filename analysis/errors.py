"""The one error a user can cause."""


class InputError(ValueError):
    """Something in the data, the plan or the options is wrong; one sentence says what to do."""
