"""Figures with intervals, on made-up errors whose truth is known."""

import math

import numpy as np
import pytest

import compare
import interval


def alone(n: int) -> list[str]:
    return [str(i) for i in range(n)]


def test_the_interval_holds_the_truth_about_nineteen_times_in_twenty():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        found = interval.mean((rng.random(150) < 0.3).astype(float), alone(150))
        assert found.low <= found.middle <= found.high
        held += found.low <= 0.3 <= found.high
    assert 88 <= held <= 100


def test_photos_of_one_album_are_one_witness():
    values = np.repeat([0.0, 1.0, 1.0, 0.0, 1.0, 0.0], 20)
    albums = np.repeat(list("abcdef"), 20)
    assert interval.mean(values, albums).error > 3 * interval.mean(values, alone(120)).error


def test_a_weight_counts_as_that_many_photos():
    assert interval.mean(np.array([0.0, 1.0]), alone(2), np.array([3.0, 1.0])).middle == 0.25


def test_as_many_photos_as_are_needed_show_the_difference_four_times_in_five():
    rng = np.random.default_rng(3)

    def drawn(n: int) -> np.ndarray:
        return rng.normal(0.1, 1.0, n)

    n = round(interval.photos_to_see(interval.Mean(0.1, 0, 0, 1 / math.sqrt(200)), 200))
    assert n == pytest.approx(784, abs=1), "(2.8 ÷ 0.1)², as in every textbook"
    seen = [interval.mean(drawn(n), alone(n)).low > 0 for _ in range(100)]
    assert 68 <= sum(seen) <= 92
    assert interval.photos_to_see(interval.Mean(-0.1, 0, 0, 1), 200) == math.inf


def test_what_is_gained_is_compared_photo_by_photo():
    e = np.random.default_rng(2).uniform(0, 5000, 300)
    rows = compare.table({"other": e + 10.0, "ours": e}, alone(300)).splitlines()
    gain = interval.mean(compare.SCORES["score"](e) - compare.SCORES["score"](e + 10.0), alone(300))
    assert 0 < gain.low < gain.middle < gain.high, "a gain on every photo is certain, however far apart the photos are"
    assert rows[3].startswith("ours − other") and gain.text("+") in rows[3]
    assert rows[4].startswith("photos for − other") and len(rows) == 5
    paired, apart = rows[4].split()[-3], rows[4].split()[-1]
    assert int(paired) < 300 < int(apart), "certain photo by photo, yet the two intervals touch"


@pytest.mark.parametrize(("error", "want"), [(25.0, 100), (25.1, 0)])
def test_thresholds_count_what_lies_on_them(error, want):
    assert compare.SCORES["≤25 km"](np.array([error])).mean() == want
