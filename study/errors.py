"""Mistakes of a user, as opposed to defects of ours."""

from __future__ import annotations


class UserError(ValueError):
    """Something a user can put right; the message is one sentence naming the thing and the fix.

    The command line prints it without a traceback and exits with 2.
    """
