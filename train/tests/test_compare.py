"""Figures with intervals, on made-up errors whose truth is known."""

import numpy as np
import pytest

import compare


def test_the_interval_holds_the_truth_about_nineteen_times_in_twenty():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        middle, low, high = compare.interval((rng.random(150) < 0.3).astype(float))
        assert low <= middle <= high
        held += low <= 0.3 <= high
    assert 88 <= held <= 100


def test_what_is_gained_is_compared_photo_by_photo():
    e = np.random.default_rng(2).uniform(0, 5000, 300)
    rows = compare.table({"other": e + 10.0, "ours": e}).splitlines()
    middle, low, high = compare.interval(compare.SCORES["score"](e) - compare.SCORES["score"](e + 10.0))
    assert 0 < low < middle < high, "a gain on every photo is certain, however far apart the photos are"
    assert rows[-1].startswith("ours − other") and f"{middle:+.1f} [{low:+.1f}, {high:+.1f}]" in rows[-1]
    assert rows[1].split()[0] == "other" and len(rows) == 4


@pytest.mark.parametrize(("error", "want"), [(25.0, 100), (25.1, 0)])
def test_thresholds_count_what_lies_on_them(error, want):
    assert compare.SCORES["≤25 km"](np.array([error])).mean() == want
