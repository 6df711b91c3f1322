"""Values between two processes of a sandbox, as JSON: plain ones alone, so that reading them runs nothing."""

import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

MOST = 100_000  # values of an iterator that is sent
_KINDS: dict[str, Any] = {"t": tuple, "l": list, "z": frozenset, "s": set}


class Opaque:
    """What a program returned and is no plain value: known by how it looks, equal to nothing."""

    def __init__(self, looks: str, true: bool) -> None:
        self.looks, self.true = looks, true

    def __repr__(self) -> str:
        return self.looks

    def __bool__(self) -> bool:
        return self.true

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__


def packed(value: Any) -> Any:
    """A value as JSON can hold it; of a subclass what it is made of, of an iterator its first MOST values."""
    if value is None or type(value) in (bool, str):
        return value
    if isinstance(value, int):
        return {"i": format(int(value), "x")}
    if isinstance(value, float):
        return {"f": float(value).hex()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, complex):
        return {"c": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, bytes | bytearray):
        return {"b": bytes(value).hex()}
    if isinstance(value, dict):
        return {"d": [[packed(key), packed(each)] for key, each in value.items()]}
    for letter, kind in _KINDS.items():
        if isinstance(value, kind):
            return {letter: [packed(each) for each in value]}
    if isinstance(value, Iterable):
        return {"l": [packed(each) for each in islice(value, MOST)]}
    return {"o": [repr(value)[:200], bool(value)]}


def unpacked(value: Any) -> Any:
    """The value that `packed` made JSON of."""
    if not isinstance(value, dict):
        return value
    [(letter, held)] = value.items()
    if letter == "d":
        return {unpacked(key): unpacked(each) for key, each in held}
    if letter in _KINDS:
        return _KINDS[letter](map(unpacked, held))
    reads: dict[str, Callable[[Any], Any]] = {
        "i": lambda text: int(text, 16),
        "f": float.fromhex,
        "b": bytes.fromhex,
        "c": lambda parts: complex(*map(float.fromhex, parts)),
        "o": lambda parts: Opaque(*parts),
    }
    return reads[letter](held)


def line(value: Any) -> str:
    """A value of JSON as a line."""
    return json.dumps(value) + "\n"
