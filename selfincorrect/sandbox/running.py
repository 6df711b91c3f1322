"""Whether programs do what is asked: functions by assertions, whole programs by what they print."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence

from selfincorrect.sandbox.sandbox import Limits, ended, required, start

LONGEST = 2**16  # bytes of a verdict


def failure(
    program: str,
    tests: str,
    setup: str = "",
    entry: str = "",
    names: Sequence[str] = (),
    limits: Limits | None = None,
) -> str | None:
    """Why a program fails `tests`, assertions in Python; None where it passes.

    Tests are run in a sandbox of their own, after `setup`; the functions that they call, or `entry` alone,
    are the program's, in another sandbox, where the tests are not seen. `names` are functions of the program
    even if Python has some of that name.
    """
    required()
    limits = limits or Limits()
    asked, calls = os.pipe()
    answered, replies = os.pipe()
    held = json.dumps({"tests": tests, "setup": setup, "entry": entry, "names": list(names)})
    with tempfile.TemporaryFile() as verdict:
        silent = {"stdin": asked, "stdout": replies, "stderr": subprocess.DEVNULL}
        worker = start("program", program, limits, **silent)
        spoken = {"stdin": answered, "stdout": calls, "stderr": verdict}
        checker = start("tests", held, limits, **spoken)
        for each in (asked, calls, answered, replies):
            os.close(each)
        try:
            checker.wait(timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            return _too_long(limits)
        finally:
            ended(worker, checker)
        verdict.seek(0)
        said = verdict.read(LONGEST).decode(errors="replace").strip()
    try:
        why = json.loads(said)
    except ValueError:
        return f"the tests ended without a verdict: {said[-300:]}"
    return None if why is None else str(why)


def printed(program: str, given: str, limits: Limits | None = None) -> tuple[str | None, str | None]:
    """What a whole program prints when it is `given` a text as its input; None, and why, where it fails."""
    required()
    limits = limits or Limits()
    with tempfile.TemporaryFile() as typed, tempfile.TemporaryFile() as output:
        typed.write(given.encode(errors="replace"))
        typed.seek(0)
        process = start("whole", program, limits, stdin=typed, stdout=output, stderr=subprocess.DEVNULL)
        try:
            code = process.wait(timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            return None, _too_long(limits)
        finally:
            ended(process)
        if output.tell() >= limits.output:
            return None, f"the program prints more than {limits.output} bytes"
        output.seek(0)
        said = output.read(limits.output).decode(errors="replace")
    return (said, None) if code == 0 else (None, f"the program ended with code {code}")


def _too_long(limits: Limits) -> str:
    return f"it took longer than {limits.seconds:g} seconds"
