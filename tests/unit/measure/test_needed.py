"""The probability of a request against every subset."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.measure.needed import About, needed, split_up


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=7), st.data())
def test_it_is_the_share_of_the_subsets_that_need_it(forms, data):
    n = len(forms)
    alike = data.draw(st.lists(st.sampled_from("xy"), min_size=n, max_size=n))  # texts of one form
    texts = [f"{form}{text}" for form, text in zip(forms, alike, strict=True)]
    one, other = data.draw(st.sampled_from(texts)), data.draw(st.sampled_from(["", *texts]))
    first = {place for place, text in enumerate(texts) if text == one}
    second = {place for place, text in enumerate(texts) if text == other} if other else set()
    either = {forms[place] for place in first | second}
    about = About(
        *np.array(
            [[len(first)], [len(second)], [len(first | second)],
             [forms.count(either.pop()) if len(either) == 1 else 0]]
        )
    )  # fmt: skip
    for undecided in (False, True):
        [found] = needed(about, n, undecided)
        assert found[0] == 0
        for j in range(2, n + 1):
            subsets = [set(each) for each in combinations(range(n), j)]
            hit = [
                bool(each & first)
                and (not second or bool(each & second))
                and len(each & (first | second)) >= 1 + bool(second)
                and not (undecided and len({forms[place] for place in each}) == 1)
                for each in subsets
            ]
            assert found[j - 1] == pytest.approx(np.mean(hit))


def test_a_subset_is_split_up_unless_all_have_one_form():
    assert split_up(np.array([3, 1]), 4) == pytest.approx([0, 1 - 3 / 6, 1 - 1 / 4, 1])
    assert split_up(np.array([4]), 4) == pytest.approx([0] * 4)
    assert split_up(np.array([2]), 4) == pytest.approx([0, 5 / 6, 1, 1])  # two without a form
