"""`python -m selfincorrect` is the command `selfincorrect`."""

from selfincorrect.cli import app

app()
