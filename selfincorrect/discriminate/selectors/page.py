"""The page of all selectors, generated from themselves."""

from importlib import import_module

from selfincorrect.discriminate.selectors.registry import BUILT_IN, askers, get_selector

PAGE = """\
# Selectors

What `selector:` of a variant takes. What a candidate's score is in each, and how many requests that takes,
is in [asking.md](asking.md). *asks*: a model is asked; *knows*: it uses the grades, a control or a bound;
*position*: it picks one that was shown, so that luck can be told.

| selector | what it does | asks | knows | position | options that not every way of asking has |
| --- | --- | --- | --- | --- | --- |
{rows}

This page is generated (`make docs`) from the selectors in the code.
"""


def selectors_page() -> str:
    """The page, a row a selector."""
    return PAGE.format(rows="\n".join(map(_row, BUILT_IN)))


def about(name: str) -> str:
    """What a selector does, in a sentence; "" of one from another package."""
    if name not in BUILT_IN:
        return ""
    told = (import_module(f"selfincorrect.discriminate.selectors.{name}").__doc__ or "").split("\n\n")[0]
    return " ".join(told.removeprefix(f"`{name}`: ").split())


def _row(name: str) -> str:
    selector = get_selector(name)
    what = about(name).replace("|", "\\|")
    knows = selector.graded and not selector.compared
    flags = ("yes" if flag else "" for flag in (selector.asks, knows, selector.slots))
    shared = frozenset.intersection(*(get_selector(each).options for each in askers()))
    options = ", ".join(f"`{option}`" for option in sorted(selector.options - shared))
    return f"| `{name}` | {what} | {' | '.join(flags)} | {options} |"
