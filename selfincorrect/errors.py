"""Errors that a user can cause and can mend: one message, no traceback."""


class UserError(Exception):
    """What was found, where, what is allowed and what to do, in words for the user."""
