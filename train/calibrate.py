"""From probabilities to promises: radius tables, and the rule by which nothing is answered.

All of it is measured on photos that the answering model did not learn from: `fit.py` deals the photos of the training side
into groups and has each group answered by a model of the others. An answer is judged by its expected error, computed from
its own distribution the way enrich/worth.go does; the tables by confidence stay for readers that know no other.
"""

import re
from dataclasses import dataclass

import numpy as np

from score import EARTH_RADIUS_KM, distance_km

ANYWHERE_KM = np.pi / 2 * EARTH_RADIUS_KM  # the mean distance of two points of the earth: the cells that are not listed
EDGES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.9375)  # shares of the weight of all photos
FINE_EDGES = (0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LEAST_RADIUS_M = 3000.0  # the typed positions of landmarks are no better
STRANGERS_REFUSED = 0.98  # of the pictures taken nowhere that calibrate
SETTLED_SHARE = 0.02  # of the weight; the share of fewer photos is chance
SPREADS_M = (250.0,)  # of the answered cell, between the tables: photos of one and the same thing, and of a place of any size
LEAST_ANSWERS = 100  # a table rests on
ALONE = ("single", "dated")  # answers to one photo alone: what its picture says, and what that becomes with its day; other tables are of album modes
UNSURE_BELOW = 0.25  # probability; what the folds of the demo showed: from here on an answer that names one thing is mostly right
AT_ONCE = 256  # distributions, whose distances to every cell are held in memory
PROMISE = re.compile(r"(\d+(?:\.\d+)?) ?% within (\d+(?:\.\d+)?) ?km")


@dataclass(frozen=True)
class Promise:
    """`share` of the answered photos are to lie within `within_km`."""

    share: float = 0.5
    within_km: float = 750.0

    def __str__(self) -> str:
        return f"{100 * self.share:g}% within {self.within_km:g} km"


def promise(text: str) -> Promise:
    """A promise from words: "90% within 200 km"."""
    found = PROMISE.fullmatch(text.strip())
    if not found or not 0 < float(found[1]) < 100 or float(found[2]) <= 0:
        raise ValueError(f'promise "{text}": want for instance "90% within 200 km", with more than 0 and less than 100 %')
    return Promise(float(found[1]) / 100, float(found[2]))


def expected_error(prob: np.ndarray, cells) -> np.ndarray:
    """km [n] of distributions [n, cells] over cells with lat, lon and radius_m; what a row lacks to 1 lies anywhere."""
    best, listed = prob.argmax(1), np.empty(len(prob))
    for start in range(0, len(prob), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        apart = distance_km(cells.lat[best[rows], None], cells.lon[best[rows], None], cells.lat[None], cells.lon[None])
        listed[rows] = (prob[rows] * (apart + cells.radius_m / 1000)).sum(1)
    return listed + np.clip(1 - prob.sum(1), 0, None) * ANYWHERE_KM


def spread_of(prob: np.ndarray, cells, unsure_below: float = UNSURE_BELOW) -> np.ndarray:
    """Metres [n]: how far half of the photos of each answered cell are from its mean.

    An answer less probable than `unsure_below` names no one thing, whatever its cell: for its radii it may lie anywhere. Without
    that a photo of some street, whose most probable cell of many is that of a building, is promised what photos of buildings keep.
    """
    return np.where(prob.max(1) < unsure_below, 1000 * ANYWHERE_KM, cells.radius_m[prob.argmax(1)])


def weighted_quantile(values: np.ndarray, weight: np.ndarray, q: float) -> float:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][min(np.searchsorted(share, q), len(values) - 1)])


def radii(error_km: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """p50 and p90 in metres, each at the level that holds for one more photo of the kind (split conformal prediction)."""
    one_more = 1 + (weight**2).sum() / weight.sum() ** 2
    p50, p90 = (weighted_quantile(error_km, weight, min(q * one_more, 1.0)) for q in (0.5, 0.9))
    return tuple(float(np.ceil(max(1000 * p, LEAST_RADIUS_M) / 100) * 100) for p in (p50, p90))


def expected_tables(expected_km: np.ndarray, error_km: np.ndarray, weight: np.ndarray, cell_m: np.ndarray,
                    strangers: tuple[np.ndarray, np.ndarray], wanted: Promise, spread_m: np.ndarray | None = None) -> dict:
    """A table for answers that name one thing and one for answers that name more, each keeping the promise by itself.

    `cell_m` is how far half of the photos of each answered cell are from its mean; `strangers` are the expected errors and
    the spreads of the answers to pictures taken nowhere. `spread_m` is the same, or what spread_of says where
    unsure answers get the radii of the last table: those then hold with and without them, so that neither kind lends its luck to
    the other. Limits are those of the cells. A table that would rest on fewer than LEAST_ANSWERS is not made.
    """
    edges = [0.0] + [e for e in SPREADS_M if min((cell_m >= e).sum(), (cell_m < e).sum()) >= LEAST_ANSWERS]
    tables, limits, spread_m = [], np.zeros(len(expected_km)), cell_m if spread_m is None else spread_m
    strange_km, strange_m = strangers
    for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
        inside, strange = (cell_m >= low) & (cell_m < high), (strange_m >= low) & (strange_m < high)
        # All pictures taken nowhere count in each table: which kind of cell the next one falls into is chance.
        limit = abstain_above(expected_km[inside], error_km[inside], weight[inside], strange_km if strange.any() else strange_km[:0], wanted)
        limits[inside] = limit
        kinds = [k for k in ((spread_m >= low) & (spread_m < high), inside & (spread_m < high)) if k.any()] or [inside]
        found = [expected_table(expected_km[k], error_km[k], weight[k]) for k in kinds]
        rows = wider(found[0], found[-1], "expected_error_m")
        tables.append({"cell_radius_m": low, "abstain_above_m": limit, "radius": rows})
    return {"tables": tables, "promise": stated(1000 * expected_km <= limits, error_km, weight, wanted)}


def stated(answered: np.ndarray, error_km: np.ndarray, weight: np.ndarray, wanted: Promise) -> dict:
    """The promise as the manifest states it: what it is, the share of the answered photos that keep it, and the share answered."""
    kept = (weight * answered * (error_km <= wanted.within_km)).sum() / max((weight * answered).sum(), 1e-9)
    return {"share": wanted.share, "within_m": 1000 * wanted.within_km, "kept": round(float(kept), 4),
            "answered": round(float((weight * answered).sum() / weight.sum()), 4)}


def limits(by_error: dict, spread_m: np.ndarray) -> np.ndarray:
    """The expected error, in metres, above which an answer with a cell of this spread is not given."""
    at = np.searchsorted([t["cell_radius_m"] for t in by_error["tables"]], spread_m, side="right") - 1
    return np.array([t["abstain_above_m"] for t in by_error["tables"]])[at]


def expected_table(expected_km: np.ndarray, error_km: np.ndarray, weight: np.ndarray) -> list[dict]:
    """Rows of ascending expected error, in metres, whose radii never shrink.

    Neighbouring bins that would shrink are pooled and measured again, so that each radius keeps its share of the photos it
    stands for (taking the larger of two would make all of them too large).
    """
    edges = sorted({0.0} | {float(np.ceil(weighted_quantile(expected_km, weight, s) * 10)) / 10 for s in FINE_EDGES})
    bins = []
    for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
        inside = np.flatnonzero((expected_km >= low) & (expected_km < high))
        if not len(inside):
            continue
        bins.append((low, inside, radii(error_km[inside], weight[inside])))
        while len(bins) > 1 and any(a > b for a, b in zip(bins[-2][2], bins[-1][2], strict=True)):
            (start, one, _), (_, two, _) = bins[-2:]
            both = np.concatenate([one, two])
            bins[-2:] = [(start, both, radii(error_km[both], weight[both]))]
    rows = [{"expected_error_m": 1000 * low, "p50_m": r[0], "p90_m": r[1]} for low, _, r in bins]
    rows[0]["expected_error_m"] = 0.0
    return [row for i, row in enumerate(rows) if i == 0 or row["p50_m"] > rows[i - 1]["p50_m"] or row["p90_m"] > rows[i - 1]["p90_m"]]


def at(steps: list[dict], edge: float, key: str) -> dict:
    """The last of ascending steps that does not start above the edge."""
    return [step for step in steps if step[key] <= edge][-1]


def wider(ours: list[dict], theirs: list[dict], key: str) -> list[dict]:
    """The greater radius of two step functions, wherever either has a step."""
    rows = []
    for edge in sorted({row[key] for row in ours + theirs}):
        one, two = at(ours, edge, key), at(theirs, edge, key)
        rows.append({key: edge} | {radius: max(one[radius], two[radius]) for radius in ("p50_m", "p90_m")})
    return [row for i, row in enumerate(rows) if i == 0 or any(row[r] != rows[i - 1][r] for r in ("p50_m", "p90_m"))]


def kept_from(order: np.ndarray, error_km: np.ndarray, weight: np.ndarray, wanted: Promise) -> int:
    """How many photos, best first, are answered when at least the promised share of them is near: −1 for none.

    Every shorter list counts, too, so that a lucky stretch is not used.
    """
    taken = np.cumsum(weight[order])
    good = np.cumsum(weight[order] * (error_km[order] <= wanted.within_km)) / taken
    settled = taken >= SETTLED_SHARE * weight.sum()
    fails = np.flatnonzero((good < wanted.share) & settled)
    last = fails[0] - 1 if len(fails) else len(order) - 1
    return last if last >= 0 and settled[last] else -1


def abstain_above(expected_km: np.ndarray, error_km: np.ndarray, weight: np.ndarray, strangers_km: np.ndarray,
                  wanted: Promise) -> float:
    """The largest expected error that keeps the promise and at which 98 % of the pictures taken nowhere are refused, in
    metres. 0: no expected error keeps it, and nothing is answered."""
    order = np.argsort(expected_km, kind="stable")
    last = kept_from(order, error_km, weight, wanted)
    limit = expected_km[order][last] if last >= 0 else 0.0
    if len(strangers_km):
        limit = min(limit, float(np.quantile(strangers_km, 1 - STRANGERS_REFUSED)))
    return float(np.floor(1000 * limit))


def radius_table(confidence: np.ndarray, error_km: np.ndarray, weight: np.ndarray) -> list[dict]:
    """Rows of ascending confidence with the weighted median and 90 % quantile of the error, in metres, never growing.

    The edges are quantiles of the confidence, so that each row rests on enough photos; rows that say the same are one.
    """
    edges = sorted({0.0} | {round(weighted_quantile(confidence, weight, share), 4) for share in EDGES})
    rows = []
    for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
        inside = (confidence >= low) & (confidence < high)
        if inside.any():
            p50, p90 = (weighted_quantile(error_km[inside], weight[inside], q) for q in (0.5, 0.9))
            rows.append({"confidence": low if rows else 0.0, "p50_m": p50 * 1000, "p90_m": p90 * 1000})
    return monotone(rows)


def monotone(rows: list[dict]) -> list[dict]:
    """A higher confidence never has a larger radius: each row takes the largest radius of itself and the rows above it."""
    worst = {"p50_m": LEAST_RADIUS_M, "p90_m": LEAST_RADIUS_M}
    for row in reversed(rows):
        for key in worst:
            worst[key] = row[key] = float(np.ceil(max(worst[key], row[key]) / 100) * 100)
        row["p90_m"] = max(row["p90_m"], row["p50_m"])
    stated = [(row["p50_m"], row["p90_m"]) for row in rows]
    return [row for i, row in enumerate(rows) if i == 0 or stated[i] != stated[i - 1]]


def abstain_below(confidence: np.ndarray, error_km: np.ndarray, weight: np.ndarray, strangers: np.ndarray,
                  wanted: Promise = Promise()) -> float:
    """The lowest confidence that keeps the promise and at which 98 % of the pictures taken nowhere are refused; 1 for none."""
    order = np.argsort(-confidence, kind="stable")
    last = kept_from(order, error_km, weight, wanted)
    if last < 0:
        return 1.0
    floor = float(np.quantile(strangers, STRANGERS_REFUSED)) + 1e-4 if len(strangers) else 0.0
    return round(min(max(float(confidence[order][last]), floor), 1.0), 4)


def table(prob: np.ndarray, cells, lat: np.ndarray, lon: np.ndarray, strange: np.ndarray, temperature: float, wanted: Promise) -> dict:
    """The calibration of one mode, from its distributions [n, cells] for photos of known places and for pictures taken nowhere."""
    best, same = prob.argmax(1), np.ones(len(prob))
    confidence, error = np.minimum(prob.max(1), 1), distance_km(lat, lon, cells.lat[best], cells.lon[best])
    odd = expected_error(strange, cells), cells.radius_m[strange.argmax(1)]
    return {
        "temperature": round(temperature, 4),
        "radius": radius_table(confidence, error, same),
        "abstain_below": abstain_below(confidence, error, same, strange.max(1), wanted),
        "expected_error": expected_tables(expected_error(prob, cells), error, same, cells.radius_m[best], odd, wanted),
    }
