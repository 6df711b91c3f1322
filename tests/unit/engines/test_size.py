"""Operations, counted by hand."""

import numpy as np
import pytest

from selfincorrect.engines.manifest import Manifest
from selfincorrect.engines.size import Size, size_of


def test_each_token_attends_to_itself_and_those_before_it():
    size = Size(parameters=100, attention=[(None, 8)])
    assert size.operations(0, 3) == pytest.approx(2 * 100 * 3 + 4 * 8 * (1 + 2 + 3))
    assert size.operations(3, 2) == pytest.approx(2 * 100 * 2 + 4 * 8 * (4 + 5))


def test_a_window_bounds_what_is_attended_to():
    size = Size(parameters=0.5, attention=[(2, 8), (None, 1)])
    assert size.operations(0, 4) == pytest.approx(4 + 4 * (8 * (1 + 2 + 2 + 2) + (1 + 2 + 3 + 4)))


def test_parts_add_up():
    size = Size(parameters=7, attention=[(5, 3), (None, 2)])
    many = np.arange(12)
    assert size.operations(0, many) + size.operations(many, 20 - many) == pytest.approx(
        np.full(12, size.operations(0, 20))
    )


def test_what_was_counted_goes_before_what_was_configured():
    counted = Manifest(name="m", source="s", prompt="chat", size={"parameters": 10, "attention": [[None, 4]]})
    plain = Manifest(name="m", source="s", prompt="chat")
    assert size_of(counted, 99) == Size(parameters=10, attention=[(None, 4)])
    assert size_of(plain, 99) == Size(parameters=99)
    assert size_of(plain, None) is None
