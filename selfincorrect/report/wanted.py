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
    """Two variants, models, discriminators or k, compared wherever everything else is the same."""

    variants: list[str] | None = Field(
        None, min_length=2, max_length=2, description="`contrasts`: two variants, on the same candidates."
    )
    models: list[str] | None = Field(
        None, min_length=2, max_length=2, description="`contrasts`: two models, on the same questions."
    )
    discriminators: list[str] | None = Field(
        None, min_length=2, max_length=2, description="`contrasts`: two models that are asked, on one pool."
    )
    k: list[int] | None = Field(
        None, min_length=2, max_length=2, description="`contrasts`: two numbers of candidates."
    )

    @model_validator(mode="after")
    def _one_thing_differs(self) -> Self:
        fields = ("variants", "models", "discriminators", "k")
        if sum(getattr(self, name) is not None for name in fields) != 1:
            words = "one of `variants`, `models`, `discriminators` and `k`, with two of them"
            raise PydanticCustomError("contrast", words)
        return self

    def pairs(self, cells: Collection[Cell]) -> Iterator[Pair]:
        """The cells that it compares, of those that there are."""
        two: dict[str, Sequence[Any] | None]
        two = {
            "variant": self.variants,
            "model": self.models,
            "discriminator": self.discriminators,
            "k": self.k,
        }
        [(field, names)] = [(field, names) for field, names in two.items() if names is not None]
        for cell in cells:
            if value_of(cell, field) == names[0]:
                yield from ((cell, other) for other in counterparts(cell, {field: names[1]}, cells))


def value_of(cell: Cell, field: str) -> Any:
    """A field of a cell; a way that asks nothing but rests on what its model said is by that model."""
    value = getattr(cell, field)
    return cell.model if field == "discriminator" and value is None else value


def counterparts(cell: Cell, differ: Mapping[str, Any], cells: Collection[Cell]) -> list[Cell]:
    """Those of `cells` that agree with `cell` in all but what `differ` says.

    Where the model differs these are the one that asks the same discriminator and, of a model that asks
    itself or nothing, the other that does.
    """
    other = cell._replace(**differ)
    asked = [other.discriminator]
    if "discriminator" in differ:
        asked = [other.model, None] if other.own else asked
    elif cell.own:
        asked = [other.model, None, *([cell.discriminator] if "model" in differ else [])]
    found = [other._replace(discriminator=each) for each in dict.fromkeys(asked)]
    there = [each for each in found if each in cells]
    # Of what a model was asked and what it said by itself, the first.
    own = [each for each in there if each.own]
    return [*own[:1], *(each for each in there if not each.own)]


def pairs_of(
    cells: Sequence[Cell], standards: Sequence[Collection[str]], contrasts: Sequence[Contrast]
) -> list[Pair]:
    """Every pair once: each cell against its standards, then what `contrasts` name.

    `cells` are those that may be compared. Each of `standards` holds variants, of which the first that a
    target has, if it can be one that asks no other model, is the one that all of its others are set against.
    A way that asks another model is set against the same variant that asks its own.
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
        for cell in [each for each in mine if not each.own]:
            for other in counterparts(cell, {"discriminator": cell.model}, mine):
                found.setdefault(frozenset((cell, other)), (cell, other))
    for contrast in contrasts:
        for one, other in contrast.pairs(cells):
            found[frozenset((one, other))] = (one, other)
    return list(found.values())
