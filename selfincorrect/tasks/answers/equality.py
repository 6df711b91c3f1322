"""Whether two expressions are equal, asked of math-verify in a process of its own.

Expressions are a model's: to simplify one can take for ever, or all memory. The process that does it is
ended after SECONDS and begun anew.
"""

import json
import resource
import select
import subprocess
import sys
import warnings
from functools import cache

SECONDS = 5.0  # for one pair; SymPy is done in well under one
MEMORY = 4 * 2**30  # bytes that the process may map


class _Comparing:
    """A process that compares; begun when first asked, and again after it was ended."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def equal(self, right: str, given: str) -> bool:
        process = self.process = self.process or _started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(json.dumps([right, given]), file=process.stdin, flush=True)
            answered = select.select([process.stdout], [], [], SECONDS)[0]
            said = process.stdout.readline() if answered else ""
        except BrokenPipeError:
            said = ""
        if not said:
            process.kill()
            process.wait()
            self.process = None
        return said.strip() == "true"


@cache
def _comparing() -> _Comparing:
    return _Comparing()


def equal(right: str, given: str) -> bool:
    """Whether math-verify finds `given` equal to `right`; what it cannot tell in SECONDS is not."""
    return _comparing().equal(right, given)


def _started() -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", __name__]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()  # ready: what it imports takes a second, which is no pair's
    return process


def main() -> None:
    """Answer each line of standard input, a pair as JSON, with true or false."""
    from math_verify import parse, verify

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    print("ready", flush=True)
    for line in sys.stdin:
        right, given = (parse(f"${each}$", parsing_timeout=None) for each in json.loads(line))
        try:
            same = bool(verify(right, given, timeout_seconds=None))
        except Exception:
            same = False
        print(json.dumps(same), flush=True)


if __name__ == "__main__":
    main()
