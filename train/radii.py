"""Whether radii keep their word where they were not calibrated: `make radii`.

Twice. On the photos of the training side, as heads answer them that did not learn them: the units (albums, neighbourhoods,
places by source) are dealt into ten parts, five times anew, and the radii and limits of each part are those the other nine
calibrate. And on the held-out photos, by the bundle's own tables. Shares are of the answered photos, with 95 % intervals over albums.

"exact" is the share of answers at the very position, "≤ 3 km" the share within the least radius there is: p50 cannot hold fewer.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import backbone
import bundle as demo
import calibrate
import compare
import corpus as corpus_module
import data
import fit
import graphs
import heads
import interval
import measure
import nowhere
import splits
import store
from score import distance_km

HERE = Path(__file__).resolve().parent
PARTS, DEALS = 10, 5
EXACT_KM = 0.01


@dataclass(frozen=True)
class Promised:
    """Answers and what was promised of them."""

    error_km: np.ndarray
    p50_m: np.ndarray
    p90_m: np.ndarray
    answered: np.ndarray  # bool
    travel: np.ndarray  # bool
    weight: np.ndarray
    units: np.ndarray
    times: int = 1  # each photo is in it

    def lines(self, name: str) -> list[str]:
        """Of travel photos, of famous places, and of both, which weigh the same in total."""
        kinds = {"travel photos": self.travel, "famous places": ~self.travel, "both, weighed alike": np.ones(len(self.travel), bool)}
        return [self.line(f"{name}, {kind}", chosen) for kind, chosen in kinds.items()]

    def line(self, name: str, chosen: np.ndarray) -> str:
        given, metres = chosen & self.answered, 1000 * self.error_km
        share = (self.weight * given).sum() / (self.weight * chosen).sum()
        cells = [f"{given.sum() / self.times:6.0f}", f"{100 * share:9.1f}"]
        for held in (metres <= self.p50_m, metres <= self.p90_m):
            cells.append(interval.mean(100.0 * held[given], self.units[given], self.weight[given]).text().rjust(20))
        for near in (self.error_km <= EXACT_KM, metres <= calibrate.LEAST_RADIUS_M):
            cells.append(f"{100 * np.average(near[given], weights=self.weight[given]):7.1f}")
        return f"{name:38s}" + " ".join(cells)


HEADING = f"{'%':38s}" + " ".join(["answers", "answered", f"{'in p50':>19s}", f"{'in p90':>20s}", "  exact", " ≤ 3 km"])


def promised(by_error: dict, expected_km: np.ndarray, cell_m: np.ndarray, spread_m: np.ndarray) -> np.ndarray:
    """p50, p90 and limit [3, answers] in metres, as enrich/worth.go finds them."""
    table = np.searchsorted([t["cell_radius_m"] for t in by_error["tables"]], spread_m, side="right") - 1
    out = np.zeros((3, len(expected_km)))
    out[2] = calibrate.limits(by_error, cell_m)
    for k, (t, metres) in enumerate(zip(table, 1000 * expected_km, strict=True)):
        rows = by_error["tables"][t]["radius"]
        row = rows[np.searchsorted([r["expected_error_m"] for r in rows], metres, side="right") - 1]
        out[:2, k] = row["p50_m"], row["p90_m"]
    return out


def crossed(corpus, cells, rows: np.ndarray, prob: np.ndarray, nowhere_prob: np.ndarray, promise) -> Promised:
    """Each part by what the others calibrate, all deals one after the other."""
    best, expected, spread = prob.argmax(1), calibrate.expected_error(prob, cells), calibrate.spread_of(prob, cells)
    strangers, cell = (calibrate.expected_error(nowhere_prob, cells), cells.radius_m[nowhere_prob.argmax(1)]), cells.radius_m[best]
    error = distance_km(*corpus.positions(rows), cells.lat[best], cells.lon[best])
    unit = compare.together(corpus, rows)
    found = np.zeros((3, DEALS, len(rows)))
    for deal in range(DEALS):
        part = np.array([int(splits.lot(f"radii {deal} {u}") * PARTS) for u in unit])
        for others in (part != p for p in range(PARTS)):
            weight = corpus.weights(rows[others])
            table = calibrate.expected_tables(expected[others], error[others], weight, cell[others], strangers, promise, spread[others])
            found[:, deal, ~others] = promised(table, expected[~others], cell[~others], spread[~others])
    p50, p90, limit = found.reshape(3, -1)
    again = [np.tile(each, DEALS) for each in (error, expected, compare.travel_of(corpus, rows), corpus.weights(rows), unit)]
    return Promised(again[0], p50, p90, 1000 * again[1] <= limit, *again[2:], times=DEALS)


def held_out(corpus, found: nowhere.Bundle, rows: list[int], mode: str, prob: np.ndarray) -> Promised:
    by_error = found.manifest["calibration"][mode]["expected_error"]
    best, expected = prob.argmax(1), calibrate.expected_error(prob, found)
    spread = calibrate.spread_of(prob, found, by_error.get("unsure_below", 0.0))
    p50, p90, limit = promised(by_error, expected, found.radius_m[best], spread)
    error = distance_km(*corpus.positions(rows), found.lat[best], found.lon[best])
    units = np.array(compare.units(corpus, rows))
    return Promised(error, p50, p90, 1000 * expected <= limit, compare.travel_of(corpus, rows), corpus.weights(rows), units)


def both_ways(corpus, dense: np.ndarray, rows: list[int]) -> dict[str, np.ndarray]:
    """Of a photo alone and of its album's average, each with the cells that a worker would list."""
    return {"single": dense[rows], "average": measure.top_only(measure.averaged(corpus, dense, rows))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    args = parser.parse_args()
    torch.set_num_threads(1)
    plan, work, found = fit.Plan(), store.Store(args.work), nowhere.Bundle(args.bundle)
    corpus = corpus_module.demo(args.data, work, backbone.load(demo.BACKBONE), trunk=True)
    rows = corpus.rows(*corpus_module.LEARNING)
    cells, labels = fit.divide(corpus, plan, rows)
    temperature = found.manifest["calibration"]["single"]["temperature"]
    logits, strange = fit.unseen_logits(corpus, plan, cells, labels, rows, fit.kept_steps(work, corpus, plan))
    dense, strange = (measure.top_only(heads.softmax(z / temperature)) for z in (logits[:, 0], strange[fit.kind_folds(corpus) >= 0]))
    print(HEADING)
    for mode, prob in both_ways(corpus, dense, rows).items():
        print("\n".join(crossed(corpus, cells, np.array(rows), prob, strange, plan.promise).lines(f"{mode}, crossed")))
    rows = corpus.rows("heldout")
    dense = np.zeros((len(corpus.photos), len(found)))
    for i in rows:
        dense[i] = graphs.spread(*found.see(Image.open(corpus.photos[i].path)), len(found))[0]
    for mode, prob in both_ways(corpus, dense, rows).items():
        print("\n".join(held_out(corpus, found, rows, mode, prob).lines(f"{mode}, held out")))


if __name__ == "__main__":
    main()
