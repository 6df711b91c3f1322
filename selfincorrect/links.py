"""Links to what lies elsewhere."""

import shutil
from pathlib import Path


def remove(path: Path) -> None:
    """Remove what an earlier source left: a link to elsewhere, a file, or a folder of our own."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def link(place: Path, target: Path) -> None:
    """Make `place` a symbolic link to `target`, whatever was there."""
    remove(place)
    place.symlink_to(target)
