"""How even the picks of a model are over the positions shown."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from selfincorrect.discriminate.choices import distinct
from selfincorrect.discriminate.selectors.registry import with_slots
from selfincorrect.measure import hypothesis
from selfincorrect.measure.scores import Row


def positions(table: pl.DataFrame, k: int) -> Row:
    """How even the picks are over the positions shown; nothing for rules that see no positions."""
    slots = slot_counts(table, k)
    top, picked = int(slots.argmax()), int(slots.sum())
    return {
        "top_slot": top + 1 if picked else None,
        "top_slot_share": slots[top] / picked if picked else None,
        "p_slots": hypothesis.uniform_slots(slots) if picked else None,
    }


def slot_counts(table: pl.DataFrame, k: int) -> NDArray[np.int64]:
    """How often each shown position was picked by a model, [k]; invalid outputs and rules without a model picked none."""
    once = distinct(table)
    rows = zip(once["order"], once["chosen_sample"], once["selector"], strict=True)
    known = with_slots()
    slots = [list(order).index(sample) for order, sample, by in rows if sample is not None and by in known]
    return np.bincount(slots, minlength=k).astype(np.int64)
