"""A process in bubblewrap: no network, no home, no environment, nothing to write to but a little memory.

Programs of models are hostile until shown otherwise. They see the system's libraries and Python, read-only,
and have limits of time, memory, processes and output that they cannot raise.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from selfincorrect.errors import UserError

_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin")
_PYTHON = "/python"  # where the sandbox has this interpreter's own folder, which may lie in somebody's home
INSIDE = ("values", "program", "tests", "whole")  # the modules that run inside
_INSIDE = Path(__file__).parent / "inside"
_MAIN = "import sys; sys.path.append('/'); from inside.{} import main; main()"
_FIRST_USER = 1_000_000_000  # users of the sandbox have numbers beyond those of people


@dataclass(frozen=True)
class Limits:
    """What a program may take: `seconds` of time, bytes of `memory` a process and of `output` a file,
    `processes` (threads count), and bytes of `scratch` in its temporary folder.
    """

    seconds: float = 10.0
    memory: int = 2**30
    output: int = 2**23
    processes: int = 16
    scratch: int = 2**24


def start(module: str, payload: str, limits: Limits, **pipes: Any) -> "subprocess.Popen[bytes]":
    """A process in the sandbox: `main` of a module of `inside`, which finds `payload` in the file /payload.

    `pipes` are those of subprocess.Popen. To kill it ends all that it has started.
    """
    read, write = os.pipe()
    try:
        process = subprocess.Popen(
            [*_command(limits, read), "-I", "-c", _MAIN.format(module)],
            pass_fds=(read,),
            cwd="/",
            env={"PATH": os.defpath},  # the environment of bwrap itself can be read in its /proc
            **pipes,
        )
    finally:
        os.close(read)
    # Where it did not start, its exit code and its error output tell.
    with suppress(BrokenPipeError), open(write, "w", encoding="utf-8", errors="replace") as file:
        file.write(payload)
    return process


def ended(*processes: "subprocess.Popen[bytes]") -> None:
    """End processes, with everything that they have started."""
    for process in processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@cache
def hindrance() -> str | None:
    """Why there is no sandbox on this machine, and what to do; None where there is one."""
    if shutil.which("bwrap") is None:
        return "bubblewrap, the program bwrap, must be installed (Debian: apt-get install bubblewrap)"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start("whole", "print('it works')", Limits(), **pipes)
    output, errors = process.communicate(timeout=60)
    if output.strip() == b"it works":
        return None
    said = errors.decode(errors="replace").strip().splitlines() or ["it says nothing"]
    return (
        f"bubblewrap must be able to make a sandbox here, and says: {said[-1][:300]}. Containers often "
        "forbid it: allow user namespaces, or grade on another machine"
    )


def required() -> None:
    """Raise UserError, with what to do, where there is no sandbox: nothing is run without one."""
    if missing := hindrance():
        raise UserError(f"Programs that models write are not run without a sandbox: {missing}.")


def _command(limits: Limits, payload: int) -> list[str]:
    """The words that start Python in the sandbox; `payload` is the file descriptor to read it from.

    For root, limits of processes do not hold. There the program becomes a user of its own, and no namespace
    of users is needed; everybody else gets one.
    """
    prefix = str(Path(sys.base_prefix).resolve())
    words = [
        shutil.which("bwrap") or "bwrap",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    words += ["--die-with-parent", "--new-session", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]
    words += ["--setenv", "LANG", "C.UTF-8", "--setenv", "PYTHONDONTWRITEBYTECODE", "1"]
    for folder in _SYSTEM:
        if os.path.islink(folder):
            words += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            words += ["--ro-bind", folder, folder]
    words += [
        "--ro-bind",
        prefix,
        _PYTHON,
        "--ro-bind",
        str(_INSIDE),
        "/inside",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
    ]
    words += ["--perms", "1777", "--size", str(limits.scratch), "--tmpfs", "/tmp"]
    words += [
        "--perms",
        "0444",
        "--ro-bind-data",
        str(payload),
        "/payload",
        "--remount-ro",
        "/",
        "--chdir",
        "/tmp",
    ]
    becomes: Sequence[str] = ()
    if os.geteuid() == 0:
        words += [each for name in ("SETUID", "SETGID", "SETPCAP") for each in ("--cap-add", f"CAP_{name}")]
        user = str(_FIRST_USER + random.SystemRandom().randrange(2**30))
        becomes = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--bounding-set=-all"]
        becomes = [*becomes, "--inh-caps=-all", "--no-new-privs"]
    else:
        words += ["--unshare-user", "--cap-drop", "ALL"]
    held = ["prlimit", f"--as={limits.memory}", f"--nproc={limits.processes}", f"--fsize={limits.output}"]
    held += [f"--cpu={int(limits.seconds) + 1}", "--nofile=64", "--core=0", "--"]
    # Not by `sys.executable`, which the workflow puts in quotes where it holds a blank.
    names = (f"python{sys.version_info.major}.{sys.version_info.minor}", "python3", "python")
    name = next((each for each in names if Path(prefix, "bin", each).exists()), names[0])
    return [*words, *becomes, *held, f"{_PYTHON}/bin/{name}"]
