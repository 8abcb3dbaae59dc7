"""Whether radii keep their word, on made-up answers whose truth is known; and what three seeds print."""

import numpy as np
import pytest

import radii
import seeds


def promise_of(error_km, p50_km, answered, travel) -> radii.Promised:
    n = len(error_km)
    weight = np.where(travel, n / 2 / max(sum(travel), 1), n / 2 / max(n - sum(travel), 1))
    metres = np.full(n, 1000.0 * p50_km)
    return radii.Promised(np.array(error_km), metres, 9 * metres, np.array(answered), np.array(travel), weight, np.arange(n).astype(str))


def test_only_what_is_answered_counts_and_both_lists_weigh_alike():
    travel = [True, True, False, False, False, False]
    found = promise_of([5.0, 50.0, 0.0, 0.0, 0.0, 700.0], 10, [True, True, True, True, True, False], travel)
    of_travel, of_places, of_both = found.lines("single")
    assert of_travel.split("photos")[1].split()[:3] == ["2", "100.0", "50.0"]
    assert of_places.split("places")[1].split()[:3] == ["3", "75.0", "100.0"]
    answers, answered, inside, *_ = of_both.split("alike")[1].split()
    assert (answers, answered) == ("5", "87.5")
    assert float(inside) == pytest.approx(100 * (1.5 + 3 * 0.75) / (2 * 1.5 + 3 * 0.75), abs=0.1)
    assert of_places.split()[-2:] == ["100.0", "100.0"] and of_travel.split()[-2:] == ["0.0", "0.0"]


def test_radii_are_found_as_the_worker_finds_them():
    rows = [{"expected_error_m": e, "p50_m": p, "p90_m": 9 * p} for e, p in ((0.0, 3e3), (1e5, 5e4))]
    wide = [{"expected_error_m": 0.0, "p50_m": 4e5, "p90_m": 8e5}]
    by_error = {"tables": [{"cell_radius_m": 0.0, "abstain_above_m": 2e5, "radius": rows}, {"cell_radius_m": 250.0, "abstain_above_m": 9e5, "radius": wide}]}
    p50, p90, limit = radii.promised(by_error, np.array([0.0, 99.0, 100.0, 100.0, 0.0]), np.array([0.0, 249.0, 249.0, 250.0, 0.0]),
                                     np.array([0.0, 249.0, 249.0, 250.0, 1e7]))
    assert p50.tolist() == [3e3, 3e3, 5e4, 4e5, 4e5] and p90.tolist() == [27e3, 27e3, 45e4, 8e5, 8e5]
    assert limit.tolist() == [2e5, 2e5, 2e5, 9e5, 2e5], "that of the cell, however unsure"


def test_three_seeds_have_a_mean_and_a_deviation():
    rows = seeds.table({"a": np.array([10.0, 9000.0]), "b": np.array([10.0, 10.0]), "c": np.array([9000.0, 9000.0])}).splitlines()
    assert rows[1].split()[:2] == ["a", "50.0"]
    assert rows[-1].split()[:6] == ["mean", "±", "deviation", "50.0", "±", "50.0"]
