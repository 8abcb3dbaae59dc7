"""Expected errors, the radii and the abstaining that follow from them, and that the worker computes the same."""

import json
from pathlib import Path

import numpy as np
import pytest

import calibrate
from cells import Cell, Cells

TABLE = Path(calibrate.__file__).resolve().parent.parent / "enrich/testdata/expected_error.json"


def test_the_worker_and_training_compute_one_number():
    """The same file is read by the worker's test: enrich/worth_test.go."""
    table = json.loads(TABLE.read_text())
    cells = Cells([Cell(c["token"], 0, c["lat"], c["lon"], 1, c["radius_p50_m"]) for c in table["cells"]])
    for answer in table["answers"]:
        prob = np.zeros((1, len(cells)))
        prob[0, answer["cell"]] = answer["prob"]
        assert 1000 * calibrate.expected_error(prob, cells)[0] == pytest.approx(answer["expected_error_m"], abs=1), answer["name"]


def answers(n: int = 4000, seed: int = 2):
    """Errors that scatter around what is expected of them."""
    rng = np.random.default_rng(seed)
    expected = 9000 * rng.random(n)
    return expected, expected * rng.lognormal(0, 0.8, n), rng.choice([0.5, 1.0, 2.0], n)


def radius_of(rows: list[dict], expected: np.ndarray, key: str) -> np.ndarray:
    at = np.searchsorted([row["expected_error_m"] for row in rows], 1000 * expected, side="right") - 1
    return np.array([row[key] for row in rows])[at]


@pytest.mark.parametrize(("key", "share", "slack"), [("p50_m", 0.5, 0.05), ("p90_m", 0.9, 0.03)])
def test_radii_keep_their_word_on_photos_that_did_not_calibrate(key, share, slack):
    expected, error, weight = answers(1500)
    rows = calibrate.expected_table(expected, error, weight)
    fresh, truth, _ = answers(4000, seed=3)
    inside = 1000 * truth <= radius_of(rows, fresh, key)
    assert inside.mean() == pytest.approx(share, abs=slack)
    for third in np.array_split(np.argsort(fresh), 3):  # and not only on average
        assert inside[third].mean() == pytest.approx(share, abs=2 * slack)


def test_radii_start_at_zero_and_never_shrink():
    rng = np.random.default_rng(5)
    expected = 9000 * rng.random(300)
    rows = calibrate.expected_table(expected, rng.permutation(expected), np.ones(300))
    assert rows[0]["expected_error_m"] == 0
    for low, high in zip(rows, rows[1:], strict=False):
        assert low["expected_error_m"] < high["expected_error_m"]
        assert low["p50_m"] <= high["p50_m"] and low["p90_m"] <= high["p90_m"]
    assert all(calibrate.LEAST_RADIUS_M <= row["p50_m"] <= row["p90_m"] for row in rows)


def test_a_promise_is_kept_and_its_price_said():
    expected, error, weight = answers()
    found = calibrate.abstain_above(expected, error, weight, np.array([]), calibrate.promise("90% within 1500 km"))
    answered = 1000 * expected <= found["abstain_above_m"]
    kept = (weight * (error <= 1500))[answered].sum() / weight[answered].sum()
    assert kept >= 0.9 and found["promise"]["kept"] == pytest.approx(kept, abs=1e-4)
    assert found["promise"]["answered"] == pytest.approx(weight[answered].sum() / weight.sum(), abs=1e-4)
    wider = 1000 * expected <= found["abstain_above_m"] + 300e3
    assert (weight * (error <= 1500))[wider].sum() / weight[wider].sum() < 0.9, "a higher limit would have broken the promise"


def test_a_dearer_promise_answers_less():
    expected, error, weight = answers()
    limits = [calibrate.abstain_above(expected, error, weight, np.array([]), calibrate.promise(p))["abstain_above_m"]
              for p in ("50% within 2500 km", "90% within 2500 km", "90% within 750 km")]
    assert limits[0] > limits[1] > limits[2] > 0


def test_nothing_is_answered_when_the_promise_cannot_be_kept():
    expected, error, weight = answers()
    found = calibrate.abstain_above(expected, error + 5000, weight, np.array([]), calibrate.Promise())
    assert found["abstain_above_m"] == 0 and found["promise"]["answered"] == 0


def test_pictures_taken_nowhere_lower_the_limit():
    expected, error, weight = answers()
    free = calibrate.abstain_above(expected, error, weight, np.array([]), calibrate.promise("50% within 2500 km"))
    found = calibrate.abstain_above(expected, error, weight, np.linspace(800, 9000, 500), calibrate.promise("50% within 2500 km"))
    assert found["abstain_above_m"] == pytest.approx(1000 * (800 + 0.02 * 8200), rel=0.01) and found["abstain_above_m"] < free["abstain_above_m"]
    assert found["promise"]["answered"] < free["promise"]["answered"]


@pytest.mark.parametrize(("text", "want"), [
    ("90% within 200 km", (0.9, 200)), ("50 % within 750km", (0.5, 750)), (" 99.5% within 2.5 km ", (0.995, 2.5)),
])
def test_promises_are_read_from_words(text, want):
    found = calibrate.promise(text)
    assert (found.share, found.within_km) == pytest.approx(want)
    assert calibrate.promise(str(found)) == found


@pytest.mark.parametrize("text", ["", "90% of 200 km", "0% within 200 km", "100% within 200 km", "90% within 0 km", "90% within -2 km"])
def test_promises_nobody_can_mean_are_refused(text):
    with pytest.raises(ValueError, match="90% within 200 km"):
        calibrate.promise(text)
