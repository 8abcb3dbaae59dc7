"""The LSTM of a fine-tuned backbone is no bolder than single photos, and what it then keeps is said anew."""

import numpy as np
import pytest

import calibrate
import measure
from cells import Cell, Cells


def table(limit: float, below: float, *steps: tuple[float, float, float]) -> dict:
    """Steps are (expected error, p50, p90); by confidence there is one step."""
    rows = [{"expected_error_m": e, "p50_m": p50, "p90_m": p90} for e, p50, p90 in steps]
    return {"radius": [{"confidence": 0.0, "p50_m": steps[-1][1], "p90_m": steps[-1][2]}], "abstain_below": below,
            "expected_error": {"tables": [{"cell_radius_m": 0.0, "abstain_above_m": limit, "radius": rows}], "promise": {}}}


def test_wherever_either_has_a_step_the_greater_radius_holds():
    tables = {"single": table(5e5, 0.3, (0.0, 3e3, 9e3), (2e5, 5e4, 4e5)), "average": table(9e5, 0.1, (0.0, 3e3, 3e3))}
    tables |= {mode: table(9e5, 0.1, (0.0, 3e3, 3e3), (1e5, 4e3, 5e4), (4e5, 9e4, 9e4)) for mode in ("lstm", "lstm_repeat")}
    measure.no_bolder_than_single(tables)
    for mode in ("lstm", "lstm_repeat"):
        (found,) = tables[mode]["expected_error"]["tables"]
        assert found["radius"] == [{"expected_error_m": e, "p50_m": p50, "p90_m": p90} for e, p50, p90 in
                                   ((0.0, 3e3, 9e3), (1e5, 4e3, 5e4), (2e5, 5e4, 4e5), (4e5, 9e4, 4e5))]
        assert found["abstain_above_m"] == 5e5 and tables[mode]["abstain_below"] == 0.3
    assert tables["average"] == table(9e5, 0.1, (0.0, 3e3, 3e3)), "averages were measured on photos nobody had learned"


def test_where_the_other_tells_two_kinds_of_answers_apart_both_are_bounded():
    mine, other = (table(limit, 0.1, (0.0, 3e3, 9e3)) for limit in (8e5, 9e5))
    other["expected_error"]["tables"].append({"cell_radius_m": 250.0, "abstain_above_m": 2e5,
                                              "radius": [{"expected_error_m": 0.0, "p50_m": 4e5, "p90_m": 9e5}]})
    measure.no_bolder(mine, other)
    thing, region = mine["expected_error"]["tables"]
    assert (thing["cell_radius_m"], thing["abstain_above_m"]) == (0.0, 8e5)
    assert (region["cell_radius_m"], region["abstain_above_m"]) == (250.0, 2e5)
    assert region["radius"] == [{"expected_error_m": 0.0, "p50_m": 4e5, "p90_m": 9e5}]


def test_the_travel_mode_is_no_bolder_than_a_photo_alone_or_the_average_and_names_no_region():
    tables = {"single": table(5e5, 0.3, (0.0, 3e3, 9e3), (2e5, 5e4, 4e5)), "average": table(9e5, 0.1, (0.0, 4e3, 4e3))}
    assert measure.of_travel(tables)["expected_error"]["tables"][0]["abstain_above_m"] == 0, "with one table all are regions"
    tables["average"]["expected_error"]["tables"].append({"cell_radius_m": 250.0, "abstain_above_m": 2e5,
                                                          "radius": [{"expected_error_m": 0.0, "p50_m": 4e5, "p90_m": 9e5}]})
    mine = measure.of_travel(tables)
    thing, region = mine["expected_error"]["tables"]
    assert thing["radius"] == [{"expected_error_m": e, "p50_m": p50, "p90_m": p90} for e, p50, p90 in ((0.0, 4e3, 9e3), (2e5, 5e4, 4e5))]
    assert mine["expected_error"]["unsure_refused"] and "unsure_refused" not in tables["average"]["expected_error"]
    assert (thing["abstain_above_m"], region["abstain_above_m"], mine["abstain_below"]) == (5e5, 0, 0.3)
    assert tables["average"]["expected_error"]["tables"][0]["abstain_above_m"] == 9e5, "the average keeps its own"


def test_a_lowered_limit_says_anew_what_it_keeps_and_costs():
    division = Cells([Cell("132f61", 0, 41.89, 12.49, 1), Cell("47e66c", 0, 48.86, 2.35, 1)])

    class Corpus:
        def positions(self, rows):
            return np.array([41.89, 48.86, 48.86]), np.array([12.49, 2.35, 2.35])

    class Plan:
        promise = calibrate.promise("90% within 200 km")

    prob = np.array([[1.0, 0.0], [0.9, 0.1], [0.3, 0.7]])  # sure and right; fairly sure and wrong; unsure and right
    judged = measure.Judged(np.arange(3), prob, np.array([1.0, 1.0, 2.0]), np.ones(3, bool))
    for limit, kept, answered in ((1e3, 1.0, 0.25), (200e3, 0.5, 0.5), (900e3, 0.75, 1.0)):
        by_error, found = {"tables": [{"cell_radius_m": 0.0, "abstain_above_m": limit}]}, {}
        measure.restate(Corpus(), Plan, division, judged, by_error, found)
        assert by_error["promise"] == {"share": 0.9, "within_m": 200e3, "kept": kept, "answered": answered}
        assert found["answered"] == answered and found["worth"] == pytest.approx(kept * answered, abs=0.15)
    refusing = {"tables": [{"cell_radius_m": 0.0, "abstain_above_m": 900e3}], "unsure_below": 0.8, "unsure_refused": True}
    measure.restate(Corpus(), Plan, division, judged, refusing, found)
    assert refusing["promise"] == {"share": 0.9, "within_m": 200e3, "kept": 0.5, "answered": 0.5}, "the third is not sure"
