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


def test_an_answer_that_is_not_sure_names_no_thing():
    cells = Cells([Cell("132f61", 0, 41.89, 12.49, 1, 0.0), Cell("47e66c", 0, 48.86, 2.35, 1, 90e3)])
    prob = np.array([[0.25, 0.2], [0.24, 0.2], [0.2, 0.7], [0.1, 0.2]])
    anywhere = 1000 * calibrate.ANYWHERE_KM
    assert calibrate.spread_of(prob, cells).tolist() == [0.0, anywhere, 90e3, anywhere]
    assert calibrate.spread_of(prob, cells, 0.0).tolist() == [0.0, 0.0, 90e3, 90e3], "bundles without unsure_below"


def test_unsure_answers_do_not_lend_their_luck_to_the_others():
    """Sure things; and, in the other table, things that are unsure and right, and regions that are wrong from some error on."""
    n = 400
    expected, kind = np.tile(np.linspace(10, 2000, n), 4), np.repeat(["sure", "unsure", "unsure", "region"], n)
    error = np.where((kind == "region") & (expected > 500), 5000.0, 1.0)
    spread, cell = np.where(kind == "sure", 0.0, 1e6), np.where(kind == "region", 1e6, 0.0)
    none = np.array([]), np.array([])
    together, apart = (calibrate.expected_tables(expected, error, np.ones(4 * n), cell_m, none, calibrate.Promise(), spread)["tables"][1]
                       for cell_m in (spread, cell))
    assert together["abstain_above_m"] > 1.9e6 and 0.9e6 < apart["abstain_above_m"] < 1.1e6
    for key in ("p50_m", "p90_m"):
        assert (radius_of(apart["radius"], expected, key) >= radius_of(together["radius"], expected, key)).all()
    assert apart["radius"][-1]["p50_m"] == 5e6 and together["radius"][-1]["p50_m"] < 5e6, "half of the regions are that far"


def limit(expected, error, weight, wanted: str, strangers=()) -> float:
    return calibrate.abstain_above(expected, error, weight, np.array(strangers, float), calibrate.promise(wanted)) / 1000


def test_a_promise_is_kept_and_a_higher_limit_would_break_it():
    expected, error, weight = answers()
    found = limit(expected, error, weight, "90% within 1500 km")
    good = weight * (error <= 1500)
    answered, wider = expected <= found, expected <= found + 300
    assert good[answered].sum() / weight[answered].sum() >= 0.9 > good[wider].sum() / weight[wider].sum()


def test_a_dearer_promise_answers_less():
    limits = [limit(*answers(), wanted) for wanted in ("50% within 2500 km", "90% within 2500 km", "90% within 750 km")]
    assert limits[0] > limits[1] > limits[2] > 0


def test_nothing_is_answered_when_the_promise_cannot_be_kept():
    expected, error, weight = answers()
    assert limit(expected, error + 5000, weight, "50% within 750 km") == 0


def test_pictures_taken_nowhere_lower_the_limit():
    found = limit(*answers(), "50% within 2500 km", strangers=np.linspace(800, 9000, 500))
    assert found == pytest.approx(800 + 0.02 * 8200, rel=0.01) and found < limit(*answers(), "50% within 2500 km")


def test_things_and_regions_keep_the_promise_each_by_itself_and_the_price_is_said():
    expected, error, weight = answers()
    spread = np.where(np.arange(len(expected)) % 2, 0.0, 90_000.0)
    error = error * np.where(spread > 0, 2.0, 0.3)  # a region is further off than it seems, a thing nearer
    wanted = calibrate.promise("80% within 1500 km")
    nowhere = (np.full(50, 8000.0), np.zeros(50))
    found = calibrate.expected_tables(expected, error, weight, spread, nowhere, wanted)
    assert [t["cell_radius_m"] for t in found["tables"]] == [0, 250]
    answered = 1000 * expected <= calibrate.limits(found, spread)
    for kind in (spread == 0, spread > 0):
        kept = (weight * (error <= 1500))[answered & kind].sum() / weight[answered & kind].sum()
        assert 0.8 <= kept < 0.9
    assert answered[spread == 0].mean() > 2 * answered[spread > 0].mean() > 0
    stated = found["promise"]
    assert stated["answered"] == pytest.approx(weight[answered].sum() / weight.sum(), abs=1e-4)
    assert stated["kept"] == pytest.approx((weight * (error <= 1500))[answered].sum() / weight[answered].sum(), abs=1e-4)


def test_a_kind_of_answer_that_hardly_occurs_gets_no_table():
    expected, error, weight = answers()
    spread = np.zeros(len(expected))
    spread[:50] = 90_000.0
    found = calibrate.expected_tables(expected, error, weight, spread, (np.array([]), np.array([])), calibrate.Promise())
    assert len(found["tables"]) == 1


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
