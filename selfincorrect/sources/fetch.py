"""Fetch files from the package index or the hub, checked against their pinned digests."""

import fnmatch
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfincorrect.digest import file_sha256
from selfincorrect.errors import UserError
from selfincorrect.sources.kinds import (
    Files,
    Generated,
    GgufPackages,
    HubFile,
    LocalFile,
    PackagedFile,
    PackageMember,
    Source,
    packaged_path,
)

log = logging.getLogger("selfincorrect")


@contextmanager
def fetched(source: Source) -> Iterator[Path]:
    """The file that `source` describes, as a path valid inside the `with` block; of several, their folder.

    Raises UserError if it cannot be reached or is not the pinned file.
    """
    if isinstance(source, Files | Generated):
        raise TypeError("several files are fetched one by one, puzzles are made")
    log.info("fetch %s (licence: %s)", describe(source), source.license)
    if isinstance(source, PackageMember):
        with tempfile.TemporaryDirectory(prefix="selfincorrect-") as folder:
            yield _package_member(source, Path(folder))
    elif isinstance(source, PackagedFile):
        yield packaged_path(source)
    elif isinstance(source, HubFile):
        yield _checked(_hub_file(source), source.sha256, describe(source))
    else:
        yield _checked(_local_file(source), source.sha256, describe(source))


def fetch_gguf(source: GgufPackages, target: Path) -> None:
    """Write the GGUF file that `source` describes to `target`, its parts joined."""
    log.info("fetch %s (licence: %s)", ", ".join(map(describe, source.parts)), source.license)
    scratch = tempfile.TemporaryDirectory(prefix="selfincorrect-", dir=target.parent)
    with scratch as folder, open(target, "wb") as joined:
        for part in source.parts:
            path = _package_member(part, Path(folder))
            joined.write(path.read_bytes())
            path.unlink()
    _checked(target, source.sha256, f"the file joined from {len(source.parts)} packages")


def describe(source: Source) -> str:
    """`source` in words, for logs, errors and provenance."""
    if isinstance(source, PackageMember):
        return f"{source.package} {source.version} from the package index"
    if isinstance(source, HubFile):
        return f"{source.repo} at {source.revision[:12]}, {source.file}, from the hub"
    if isinstance(source, PackagedFile):
        return f"{source.name} of this package"
    if isinstance(source, Generated):
        sizes = ", ".join(map(str, source.sizes))
        return f"{source.count} puzzles {source.generator} of each size {sizes}, seed {source.seed}"
    if isinstance(source, Files):
        return "; ".join(f"{name}: {describe(each)}" for name, each in source.files.items())
    return f"the file {source.path}"


def _checked(path: Path, sha256: str | None, what: str) -> Path:
    if sha256 is not None and (found := file_sha256(path)) != sha256:
        raise UserError(
            f"{what} is not the pinned file: its sha256 is {found}, expected {sha256} "
            f"({path}, {path.stat().st_size} bytes).\n"
            "A truncated download is the usual cause: delete it and run again. "
            "If the file was changed on purpose, pin its new sha256."
        )
    return path


def _local_file(source: LocalFile) -> Path:
    path = Path(source.path).expanduser()
    if not path.is_file():
        raise UserError(f"There is no file {path.absolute()}. Correct `path` in the configuration.")
    return path


def _hub_file(source: HubFile) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        path = hf_hub_download(source.repo, source.file, repo_type="dataset", revision=source.revision)
    except Exception as error:  # every kind of network and hub error ends in the same advice
        raise UserError(
            f"Could not get {describe(source)}: {hub_words(error)}\n"
            "Without network, either fill the hub's cache beforehand "
            "(HF_HOME, HF_HUB_OFFLINE=1 is respected), "
            f"or give a local copy of the file: source: {{path: /where/it/is/{Path(source.file).name}}}."
        ) from error
    return Path(path)


def hub_words(error: Exception) -> str:
    """What the hub said, without the token that its answer may repeat."""
    from huggingface_hub import get_token

    token = get_token()
    said = f"{type(error).__name__}: {error}"
    return said.replace(token, "[token]") if token else said


def _package_member(source: PackageMember, folder: Path) -> Path:
    """Download the wheel, unpack the file and return its path; of several that match, that of a folder which
    holds them in the order of their names.

    It is done with pip, which knows this machine's index, proxy and certificates.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder)]
    done = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        lines = done.stderr.splitlines()
        reason = "\n".join(line for line in lines if line.strip() and "WARNING" not in line)
        raise UserError(
            f"Could not get {describe(source)}.\npip said: {reason or done.stdout}\n"
            "If the package index cannot be reached, get the wheel elsewhere, put it in a folder and run "
            "again with PIP_FIND_LINKS=<that folder> PIP_NO_INDEX=1, or give a local copy: "
            "for a task `source: {path: <file>}`, for a model `source: /path/to/its/folder`.\n"
            "If the hashes differ, the download was truncated or replaced: "
            "run again; nothing of it was kept."
        )
    target = folder / "member"
    with zipfile.ZipFile(wheels[0]) as wheel:
        names = sorted(fnmatch.filter(wheel.namelist(), source.member))
        if not names:
            raise UserError(f"{describe(source)} holds no file {source.member}.")
        if several := "*" in source.member:
            target.mkdir()
        for place, name in enumerate(names):
            path = target / f"{place:05d}" if several else target
            with wheel.open(name) as packed, open(path, "wb") as file:
                shutil.copyfileobj(packed, file)
    wheels[0].unlink()
    return target
