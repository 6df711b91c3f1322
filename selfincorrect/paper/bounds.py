"""Which p-values of McNemar's test printed scores allow: whole numbers of questions, each of them possible
within the printed decimals.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
import scipy


def whole(printed: str, m: int) -> range:
    """The numbers of questions of `m` that are `printed` percent to its last decimal; none if there are none.

    This is the GRIM test (Brown and Heathers 2017). Halves may have been rounded up or down.
    """
    value = Decimal(printed)
    half = Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)
    low, high = ((value + side * half) * m / 100 for side in (-1, 1))
    return range(
        max(int(low.to_integral_value(ROUND_CEILING)), 0),
        min(int(high.to_integral_value(ROUND_FLOOR)), m) + 1,
    )


def p_bounds(right_gen: range, right_disc: range, m: int) -> tuple[float, float]:
    """The smallest and the largest one-sided McNemar p over all tables with these numbers right of `m`.

    With a and b right in generation and in discrimination and d = b − a, n01 − n10 = d, and n01 + n10 lies
    between |d| (no change back) and |d| + 2·min(a, b, m − a, m − b) (all else changed). p = 1 − Φ(d / √(n01
    + n10)) grows with a and falls with b at both ends, so two corners hold the bounds.
    """
    smallest = min(_at_both_ends(right_gen[0], right_disc[-1], m))
    largest = max(_at_both_ends(right_gen[-1], right_disc[0], m))
    return smallest, largest


def _at_both_ends(a: int, b: int, m: int) -> tuple[float, float]:
    """The one-sided McNemar p with the fewest and with the most questions changed."""
    d = b - a
    changed = (abs(d), abs(d) + 2 * min(a, b, m - a, m - b))
    fewest, most = (float(scipy.stats.norm.sf(d / np.sqrt(n))) if n > 0 else 0.5 for n in changed)
    return fewest, most


def independent(s_gen: float, s_disc: float, m: int) -> float:
    """The one-sided McNemar p if the two phases were independent: n01 = m(1 − a)b, n10 = m·a(1 − b)."""
    gained, lost = m * (1 - s_gen) * s_disc, m * s_gen * (1 - s_disc)
    return float(scipy.stats.norm.sf((gained - lost) / np.sqrt(gained + lost))) if gained + lost else 0.5
