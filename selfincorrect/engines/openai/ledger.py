"""Which calls wait in which batch at a server, kept on disk: a job that ends finds its batches again."""

from dataclasses import asdict, dataclass
from pathlib import Path

from selfincorrect.io import read_json, write_json


@dataclass(frozen=True)
class Batch:
    """A batch that waits: its label, the server's id (None while it is being sent), the ids of its calls, how
    many answers each of them wants, and the parameters that were left out of them.
    """

    label: str
    url: str
    model: str
    calls: tuple[str, ...]
    sizes: tuple[int, ...]
    without: tuple[str, ...]
    id: str | None = None


class Ledger:
    """The batches that wait for one model at one server: a file each in `folder`."""

    def __init__(self, folder: Path, url: str, model: str) -> None:
        self.folder, self.url, self.model = folder, url, model

    def batches(self) -> list[Batch]:
        """Those that earlier jobs, or others beside this one, have left.

        Raises UserError on a damaged file.
        """
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                told = read_json(path)
            except FileNotFoundError:  # another job has just got what it waited for
                continue
            lists = {name: tuple(told[name]) for name in ("calls", "sizes", "without")}
            batch = Batch(**{**told, **lists})
            if (batch.url, batch.model) == (self.url, self.model):
                found.append(batch)
        return found

    def path(self, batch: Batch) -> Path:
        return self.folder / f"{batch.label}.json"

    def keep(self, batch: Batch) -> Batch:
        write_json(self.path(batch), asdict(batch))
        return batch

    def forget(self, batch: Batch) -> None:
        self.path(batch).unlink(missing_ok=True)
