"""Hostile programs in the sandbox: each is wrong, with a reason; nothing leaks, nothing is left running."""

import os
import subprocess
import time

import psutil
import pytest

from selfincorrect.config.check.experiment import check
from selfincorrect.errors import UserError
from selfincorrect.sandbox import sandbox
from selfincorrect.sandbox.running import failure, printed
from selfincorrect.sandbox.sandbox import Limits
from selfincorrect.tasks import registry

pytestmark = pytest.mark.skipif(sandbox.hindrance() is not None, reason=f"no sandbox: {sandbox.hindrance()}")
SHORT = Limits(seconds=2)
TEST = "assert f(1) == 2"

# Each defines f, or does not; what is to be in the reason.
HOSTILE = {
    "fork bomb": ("import os\ndef f(x):\n    while True:\n        os.fork()", "BlockingIOError"),
    "threads": (
        "import threading, time\ndef f(x):\n"
        "    for _ in range(500): threading.Thread(target=time.sleep, args=(99,)).start()", "thread",
    ),
    "network": (
        "import socket\ndef f(x):\n    socket.create_connection(('127.0.0.1', 9), 1)\n    return 2", "Error",
    ),
    "environment": ("import os\ndef f(x):\n    raise ValueError(sorted(os.environ))", "ValueError"),
    "every environment": (
        "import glob\ndef f(x):\n    raise ValueError([open(p).read() for p in glob.glob('/proc/*/environ')"
        " if __import__('os').access(p, 4)])", "Error",
    ),
    "reading outside": ("def f(x):\n    return open({secret!r}).read()", "FileNotFoundError"),
    "writing outside": ("def f(x):\n    open('/usr/mine', 'w')", "Read-only file system"),
    "writing the tests": ("def f(x):\n    open('/inside/tests.py', 'w')", "Read-only file system"),
    "deleting the answer file": ("import os\ndef f(x):\n    os.remove('/payload')", "Read-only file system"),
    "filling the disk": (
        "def f(x):\n    for i in range(99): open(f'/tmp/{i}', 'w').write('x' * 10**6)", "OSError",
    ),
    "endless output": ("while True: print('x' * 1000)", "longer than 2 seconds"),
    "endless return": ("def f(x):\n    return 'x' * 10**7", "more than 1048576 characters"),
    "endless list": ("def f(x):\n    return iter(int, 1)", "more than"),
    "sleeping": ("import time\ndef f(x):\n    time.sleep(99)", "longer than 2 seconds"),
    "memory": ("def f(x):\n    return len('x' * 10**10)", "MemoryError"),
    "killing the parent": (
        "import os\ndef f(x):\n    os.kill(os.getppid(), 9)\n    os.kill(1, 9)\n    os.kill(-1, 9)", "",
    ),
    "raising its limits": (
        "import resource\ndef f(x):\n    resource.setrlimit(resource.RLIMIT_NPROC, (999, 999))", "ValueError",
    ),
    "ending itself": ("import os\nos._exit(0)", "ended before it returned"),
    "exit": ("raise SystemExit(0)", "SystemExit"),
    "patching the checker": (
        "import builtins, json\njson.dumps = lambda *_: 'null'\nbuiltins.AssertionError = Exception\n"
        "def f(x):\n    return 2", "",
    ),
    "a verdict of its own": (
        "import os\nfor i in range(3, 30):\n    try: os.write(i, b'null\\n')\n    except OSError: pass", "",
    ),
    "equal to everything": (
        "class A(int):\n    def __eq__(self, o): return True\ndef f(x):\n    return A(7)", "AssertionError",
    ),
    "an object": (
        "class A:\n    def __eq__(self, o): return True\ndef f(x):\n    return A()", "AssertionError",
    ),
    "no function": ("x = 1", "there is no function f"),
    "no program": ("def f(x) return 2", "SyntaxError"),
    "no text": ("\\ud800", ""),
    "deep": ("def f(x):\n    a = []\n    for _ in range(10**5): a = [a]\n    return a", "RecursionError"),
    "shadowing what tests use": ("abs = lambda x: 0\ndef f(x):\n    return 9", "AssertionError"),
}  # fmt: skip


def running():
    """The processes of sandboxes that run, those of other tests too."""
    found = psutil.process_iter(["name", "status"])
    return {each.pid for each in found if each.info["name"] == "bwrap" and each.info["status"] != "zombie"}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_programs_are_wrong_with_a_reason(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "sk-secret")
    secret = tmp_path / "answers"
    secret.write_text("2")
    program, says = HOSTILE[name]
    program = program.replace("{secret!r}", repr(str(secret)))
    test = "assert abs(f(1) - 2) < 1e-6" if name == "shadowing what tests use" else TEST
    why = failure(program, test, limits=SHORT)
    assert why
    assert says in why
    assert "sk-secret" not in why
    assert secret.read_text() == "2"


def test_nothing_is_left_running():
    before = running()
    for name in ("sleeping", "fork bomb", "endless output"):
        failure(HOSTILE[name][0], TEST, limits=Limits(seconds=1))
    left, end = running() - before, time.monotonic() + 60
    while left & running() and time.monotonic() < end:
        time.sleep(0.05)
    assert not left & running()


def test_whole_programs_are_fed_and_heard(monkeypatch):
    assert printed("print(int(input()) + 1)", "41\n") == ("42\n", None)
    assert printed("import os\nos._exit(3)", "")[1] == "the program ended with code 3"
    assert "longer than" in printed("import time\ntime.sleep(9)", "", Limits(seconds=1))[1]
    assert "more than" in printed("while True: print('x' * 10**5)", "", SHORT)[1]
    monkeypatch.setenv("MY_API_KEY", "sk-secret")
    assert "sk-secret" not in printed("import os\nprint(dict(os.environ))", "")[0]


@pytest.mark.parametrize(
    ("program", "tests", "fails"),
    [
        ("def f(x):\n    return x + 1", TEST, None),
        ("def f(x):\n    return x", TEST, "AssertionError, at `assert f(1) == 2`"),
        ("def f(x):\n    return [x, (x, {x: {x}}), None, 1.5, b'a', float('inf'), frozenset(x)]",
         "assert f('x') == ['x', ('x', {'x': {'x'}}), None, 1.5, b'a', float('inf'), frozenset('x')]",
         None),
        ("def f(x):\n    raise KeyError(x)",
         "try:\n    f(1)\nexcept KeyError:\n    pass\nelse:\n    assert False", None),
        ("def sum(a, b):\n    return 6", "assert sum(10, 15) == 6", None),
        ("def f(x):\n    return (i for i in range(x))", "assert f(3) == [0, 1, 2]", None),
        ("import re\ndef f(x):\n    return re.match('a', x)", "assert f('abc')\nassert not f('b')", None),
        ("def f(x, *, by=1):\n    return x + by", "assert f(1, by=4) == 5", None),
        ("print('hello')\ndef f(x):\n    print(x)\n    return 10**400", "assert f(1) == 10**400", None),
    ],
)  # fmt: skip
def test_programs_are_judged_by_what_they_return(program, tests, fails):
    assert failure(program, tests, names=["sum"]) == fails


def test_tests_have_their_own_functions_and_see_one_function_alone():
    setup = "def twice(x):\n    return 2 * x"
    program = "def twice(x):\n    return 0\ndef f(x):\n    return 0"
    assert failure(program, "assert f(3) == twice(3)", setup, "f") is not None
    tests = "def check(c):\n    assert c(3) == twice(3)\ncheck(f)"
    assert failure("def f(x):\n    return 6", tests, setup, "f") is None


def test_a_machine_without_a_sandbox_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    sandbox.hindrance.cache_clear()
    try:
        assert "apt-get install bubblewrap" in sandbox.hindrance()
        with pytest.raises(UserError, match="not run without a sandbox"):
            failure("def f(x): return 2", TEST)
    finally:
        monkeypatch.undo()
        sandbox.hindrance.cache_clear()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_works_for_people_too(tmp_path):
    """Root's sandbox needs no namespace of users; everybody else's does."""
    code = "from selfincorrect.sandbox import running, sandbox\n"
    code += "print(sandbox.hindrance(), running.failure('def f(): return 2', 'assert f() == 2'))"
    python = "/usr/bin/python3"
    if not os.path.exists(python):
        pytest.skip("no Python that everybody can read")
    package = tmp_path / "selfincorrect"
    subprocess.run(["cp", "-r", os.path.dirname(os.path.dirname(sandbox.__file__)), str(package)], check=True)
    subprocess.run(["chmod", "-R", "a+rX", str(tmp_path)], check=True)
    for folder in [tmp_path, *tmp_path.parents][:-1]:
        if not os.stat(folder).st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    somebody = {"user": 65534, "group": 65534, "extra_groups": []}
    done = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, **somebody)
    assert done.stdout.strip() == "None None", done.stderr


def test_the_interpreter_is_found_whatever_it_is_called(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "executable", "'/a folder/bin/python'")
    assert failure("def f(x): return 2", TEST) is None


def test_without_a_sandbox_no_run_begins_and_jobs_elsewhere_are_not_stopped(monkeypatch):
    given = {"models": {"m": {"source": "a/b", "revision": "main", "prompt": "chat"}}}
    given["tasks"] = {"humaneval": {"execute": True}}
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv(registry.DEFINED, raising=False)
    sandbox.hindrance.cache_clear()
    try:
        with pytest.raises(UserError, match="apt-get install bubblewrap"):
            check(given)
        monkeypatch.setenv(registry.DEFINED, "{}")  # as jobs inherit it
        assert check(given).tasks["humaneval"].execute
    finally:
        monkeypatch.undo()
        sandbox.hindrance.cache_clear()
