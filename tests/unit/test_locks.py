"""The lock files are those of requirements.txt, each line of theirs has hashes, and what installs from
them names them.
"""

import hashlib
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

ENVS = ROOT / "envs"


def entries(path: Path) -> dict[str, tuple[str, str, list[str]]]:
    """Version, marker and hashes of each package of a requirements file."""
    text = re.sub(r"#.*", "", path.read_text()).replace("\\\n", " ")
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        match = re.fullmatch(
            r"([a-z0-9.-]+)==([\w.+!]+)((?: ; .*?)?)((?:\s+--hash=sha256:[0-9a-f]{64})*)", line
        )
        assert match, line
        name, version, marker, hashes = match.groups()
        assert name not in found, name
        found[name] = (version, marker.removeprefix(" ; "), hashes.split())
    return found


WANTED = {name: version for name, (version, _, _) in entries(ENVS / "requirements.txt").items()}


@pytest.mark.parametrize("lock", ["cpu", "cuda"])
def test_lock_holds_what_requirements_hold_with_hashes(lock):
    found = entries(ENVS / f"lock-{lock}.txt")
    versions = {name: version for name, (version, _, _) in found.items()}
    wanted = WANTED | ({"torch": f"{WANTED['torch']}+cpu"} if lock == "cpu" else {})
    assert {name: versions.get(name) for name in wanted} == wanted
    assert all(hashes for _, _, hashes in found.values())
    # Whatever else the CUDA build or another system needs stands under a condition; the CPU lock is for Linux
    # alone.
    others = {name: marker for name, (_, marker, _) in found.items() if name not in WANTED}
    assert all("sys_platform ==" in marker for marker in others.values())
    assert bool(others) == (lock == "cuda")
    assert any(name.startswith("nvidia-") for name in others) == (lock == "cuda")
    assert not [name for name in WANTED if found[name][1]], (
        "a condition may leave out what requirements.txt wants"
    )


def test_cpu_lock_names_a_wheel_of_torch_for_each_python():
    version, _, hashes = entries(ENVS / "torch-cpu.txt")["torch"]
    assert version == f"{WANTED['torch']}+cpu"
    assert len(set(hashes)) == 3  # 3.11, 3.12, 3.13
    assert entries(ENVS / "lock-cpu.txt")["torch"][2] == hashes


def test_conda_environments_are_made_again_when_a_lock_changes():
    script = (ENVS / "environment.post-deploy.sh").read_text()
    for lock in ("lock-cpu.txt", "lock-cuda.txt"):
        assert f"# {lock} {hashlib.sha256((ENVS / lock).read_bytes()).hexdigest()}\n" in script, (
            "run make lock"
        )
