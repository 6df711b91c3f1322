"""Selectors by name: those of this folder, and those of other packages."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import cast

from selfincorrect.discriminate.selectors.base import Asking, Rule, Selector
from selfincorrect.plugins import plugin, plugins
from selfincorrect.tasks.variant import Variant

GROUP = "selfincorrect.selectors"
BUILT_IN = (
    "choose",
    "score",
    "label_probability",
    "expected_score",
    "p_true",
    "verify",
    "pairwise",
    "consistency",
    "backward",
    "likelihood",
    "self_certainty",
    "ensemble",
    "planted",
    "random",
    "majority",
    "centroid",
    "longest",
    "shortest",
    "oracle",
)


def names() -> tuple[str, ...]:
    """The names of all selectors, in the order that tables have."""
    return (*BUILT_IN, *plugins(GROUP))


@cache
def get_selector(name: str) -> Selector:
    """The selector called `name`. Raises LookupError if there is none."""
    if name in BUILT_IN:
        return cast(Selector, import_module(f"selfincorrect.discriminate.selectors.{name}").SELECTOR)
    return cast(Selector, plugin(GROUP, name))


def selector_of(variant: Variant) -> Selector:
    """The selector of a variant: a rule that needs what its own model said asks a model in its place."""
    found = get_selector(variant.selector)
    return rule(variant).asked or found if variant.discriminator and not found.asks else found


def asking(variant: Variant) -> Asking:
    """The selector of a variant that asks a model."""
    return cast(Asking, selector_of(variant))


def rule(variant: Variant) -> Rule:
    """The selector of a variant that asks no model."""
    return cast(Rule, get_selector(variant.selector))


def askers() -> Sequence[str]:
    """The selectors with which a model chooses."""
    return [name for name in names() if get_selector(name).asks]


def free() -> Sequence[str]:
    """The rules that need no model, no option, and nothing that only the engine of the answers knows."""
    rules = {name: cast(Rule, get_selector(name)) for name in names() if not get_selector(name).asks}
    return [name for name, each in rules.items() if each.free and not each.own]


def owned() -> Sequence[str]:
    """The rules that choose by what the model said of its own answers when it wrote them."""
    rules = [name for name in names() if not get_selector(name).asks]
    return [name for name in rules if cast(Rule, get_selector(name)).own]


def standards() -> Sequence[str]:
    """The selectors that all others are compared with."""
    return [name for name in names() if get_selector(name).standard]


def uncompared() -> Sequence[str]:
    """The selectors that are compared with none."""
    return [name for name in names() if not get_selector(name).compared]


def knows(variant: Variant) -> bool:
    """Whether a variant uses the grades: it is a control, or shows the right candidate among easy ones."""
    return variant.distractors == "easy" or (not selector_of(variant).asks and rule(variant).knows)


def pointwise(variant: Variant) -> bool:
    """Whether the score of a candidate does not depend on the others."""
    alone = variant.by == "candidate" and variant.context == "alone"
    return selector_of(variant).pointwise and alone


def with_slots() -> Sequence[str]:
    """The selectors that pick a position."""
    return [name for name in names() if get_selector(name).slots]
