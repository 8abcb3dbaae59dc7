"""Radius tables, the abstain rule and the temperature, on made-up answers whose truth is known."""

import numpy as np
import pytest

import calibrate
import heads
import measure
from score import distance_km, figures, mean_location


def answers(n: int = 4000):
    """Confident answers are near, others far: error falls from 8,000 km to 0 as confidence rises from 0 to 1."""
    rng = np.random.default_rng(2)
    confidence = rng.random(n)
    return confidence, 8000 * (1 - confidence) * rng.uniform(0.5, 1.5, n), np.ones(n)


def test_radius_tables_start_at_zero_rise_in_confidence_and_never_grow():
    rows = calibrate.radius_table(*answers())
    assert rows[0]["confidence"] == 0
    for low, high in zip(rows, rows[1:], strict=False):
        assert low["confidence"] < high["confidence"]
        assert high["p50_m"] <= low["p50_m"] and high["p90_m"] <= low["p90_m"]
    assert all(row["p50_m"] <= row["p90_m"] and row["p50_m"] >= calibrate.LEAST_RADIUS_M for row in rows)


def test_half_and_nine_tenths_of_the_photos_are_inside_their_radii():
    confidence, error, weight = answers()
    rows = calibrate.radius_table(confidence, error, weight)
    at = np.searchsorted([row["confidence"] for row in rows], confidence, side="right") - 1
    for key, share in (("p50_m", 0.5), ("p90_m", 0.9)):
        inside = error * 1000 <= np.array([row[key] for row in rows])[at]
        assert inside.mean() == pytest.approx(share, abs=0.03)


def test_a_radius_that_would_grow_takes_the_larger_one_and_equal_rows_become_one():
    rows = [{"confidence": c, "p50_m": p, "p90_m": 2 * p} for c, p in ((0.0, 5e6), (0.2, 1e5), (0.4, 9e5), (0.6, 4e3))]
    assert [(r["confidence"], r["p50_m"]) for r in calibrate.monotone(rows)] == [(0.0, 5e6), (0.2, 9e5), (0.6, 4e3)]


def test_abstaining_leaves_half_of_the_answers_within_750_km():
    confidence, error, weight = answers()
    limit = calibrate.abstain_below(confidence, error, weight, np.array([]))
    answered = confidence >= limit
    assert (error[answered] <= 750).mean() >= 0.5
    assert (error[confidence >= limit - 0.05] <= 750).mean() < 0.5, "a lower limit would have broken the rule"


def test_screenshots_raise_the_limit():
    confidence, error, weight = answers()
    assert calibrate.abstain_below(confidence, error, weight, np.full(100, 0.97)) > 0.97


def test_nothing_is_answered_when_nothing_is_near():
    confidence, _, weight = answers()
    assert calibrate.abstain_below(confidence, np.full(len(confidence), 9000.0), weight, np.array([])) >= confidence.max()


def test_the_temperature_of_overconfident_logits_is_found_again():
    rng = np.random.default_rng(4)
    honest = rng.normal(size=(5000, 10)) * 2
    labels = np.array([rng.choice(10, p=p) for p in heads.softmax(honest)])
    found = heads.fit_temperature(honest * 3, np.eye(10)[labels], np.ones(5000))
    assert found == pytest.approx(3, rel=0.1)


def test_smoothed_targets_fall_with_distance_and_sum_to_one():
    target = heads.smoothed(np.array([[10.0, 75.0, 5000.0]]), 65.0)
    assert target.sum() == pytest.approx(1)
    assert target[0, 1] / target[0, 0] == pytest.approx(np.exp(-1), rel=1e-5)
    assert (heads.smoothed(np.array([[10.0, 75.0]]), 0) == [[1, 0]]).all()


def test_known_distances_and_means():
    assert distance_km(48.8566, 2.3522, 51.5074, -0.1278) == pytest.approx(343.6, abs=0.5)
    assert distance_km(0, 179.5, 0, -179.5) == pytest.approx(111.2, abs=0.1)
    assert mean_location([0, 0], [179, -179])[1] == pytest.approx(180, abs=1e-6)
    assert figures(np.array([0.5, 3000.0]))["within_1km"] == 0.5


def test_no_row_of_the_lstm_promises_more_than_the_best_row_of_single_photos():
    def row(confidence, p50, p90):
        return {"confidence": confidence, "p50_m": p50, "p90_m": p90}

    def by_error(*radii):
        return {"tables": [{"radius": [{"expected_error_m": 1e5 * i, "p50_m": p50, "p90_m": p90} for i, (p50, p90) in enumerate(radii)]}]}

    tables = {mode: {"radius": [row(0.0, 9e6, 1e7), row(0.1, 3e3, 3e3), row(0.3, 3e3, 3e3)], "expected_error": by_error((3e3, 4e3), (9e6, 9e6))}
              for mode in measure.MODES}
    tables["single"] = {"radius": [row(0.0, 1e6, 5e6), row(0.2, 3e3, 7e5)], "expected_error": by_error((6e3, 8e5))}
    measure.cautious(tables)
    for mode in ("lstm", "lstm_repeat"):
        assert tables[mode]["radius"] == [row(0.0, 9e6, 1e7), row(0.1, 3e3, 7e5)]
        assert tables[mode]["expected_error"] == by_error((6e3, 8e5), (9e6, 9e6))
    assert tables["average"]["radius"][1] == row(0.1, 3e3, 3e3), "averages are calibrated on real albums"
