"""Runs a whole program inside the sandbox, which reads standard input and prints."""

from pathlib import Path


def main() -> None:
    """Run the program /payload as Python runs a script."""
    program = Path("/payload").read_text(encoding="utf-8")
    exec(compile(program, "answer.py", "exec"), {"__name__": "__main__"})
