"""`python -m selfincorrect` is the command `selfincorrect`."""

from selfincorrect.cli import app

if __name__ == "__main__":
    app()
