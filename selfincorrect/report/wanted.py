"""Which cells are compared with which: the contrasts of a run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from selfincorrect.sections import Section


class Cell(NamedTuple):
    """Model × task × k × variant × discriminator, the model that is asked (None: none is)."""

    model: str
    task: str
    k: int
    variant: str
    discriminator: str | None = None

    @property
    def own(self) -> bool:
        """Whether no other model is asked than that whose answers they are."""
        return self.discriminator in (None, self.model)


Pair = tuple[Cell, Cell]


class Contrast(Section):
    """Two variants, two models or two k, compared wherever everything else is the same."""

    variants: list[str] | None = Field(
        None, min_length=2, max_length=2, description="`contrasts`: two variants, on the same candidates."
    )
    models: list[str] | None = Field(
        None, min_length=2, max_length=2, description="`contrasts`: two models, on the same questions."
    )
    k: list[int] | None = Field(
        None, min_length=2, max_length=2, description="`contrasts`: two numbers of candidates."
    )

    @model_validator(mode="after")
    def _one_thing_differs(self) -> Self:
        given = [name for name in ("variants", "models", "k") if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError("contrast", "one of `variants`, `models` and `k`, with two of them")
        return self

    def pairs(self, cells: Collection[Cell]) -> Iterator[Pair]:
        """The cells that it compares, of those that there are."""
        two: dict[str, Sequence[str] | Sequence[int] | None]
        two = {"variant": self.variants, "model": self.models, "k": self.k}
        [(field, names)] = [(field, names) for field, names in two.items() if names is not None]
        for cell in cells:
            if getattr(cell, field) == names[0] and (other := counterpart(cell, {field: names[1]}, cells)):
                yield cell, other


def counterpart(cell: Cell, differ: Mapping[str, Any], cells: Collection[Cell]) -> Cell | None:
    """Of `cells` the one that agrees with `cell` in all but what `differ` says.

    Where the model differs, one that asks itself agrees with the other that does; and a way that asks its own
    model agrees with one that asks none.
    """
    other = cell._replace(**differ)
    if not cell.own:
        return other if other in cells else None
    found = (other._replace(discriminator=asked) for asked in (other.model, None))
    return next((each for each in found if each in cells), None)


def pairs_of(
    cells: Sequence[Cell], standards: Sequence[Collection[str]], contrasts: Sequence[Contrast]
) -> list[Pair]:
    """Every pair once: each cell against its standards, then what `contrasts` name.

    `cells` are those that may be compared. Each of `standards` holds variants, of which the first that a
    target has, if it can be one that asks no other model, is the one that all of its others are set against.
    """
    found: dict[frozenset[Cell], Pair] = {}
    targets: dict[tuple[str, str, int], list[Cell]] = {}
    for cell in cells:
        targets.setdefault(cell[:3], []).append(cell)
    for mine in targets.values():
        for names in standards:
            fitting = sorted((cell for cell in mine if cell.variant in names), key=lambda cell: not cell.own)
            standard = next(iter(fitting), None)
            if standard is not None:
                pairs = [(cell, standard) for cell in mine if cell != standard]
                found |= {frozenset(pair): pair for pair in pairs if frozenset(pair) not in found}
    for contrast in contrasts:
        for one, other in contrast.pairs(cells):
            found[frozenset((one, other))] = (one, other)
    return list(found.values())
