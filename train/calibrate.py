"""From probabilities to promises: radius tables and the confidence under which nothing is answered.

All of it is measured on validation photos, in which travel photos and landmark photos weigh the same in total.
"""

import numpy as np

EDGES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.9375)  # shares of the weight of all photos
LEAST_RADIUS_M = 3000.0  # the typed positions of landmarks are no better
ANSWERED_SHARE, ANSWERED_KM = 0.5, 750.0
SCREENSHOTS_REFUSED = 0.98
SETTLED_SHARE = 0.02  # of the weight; the share within 750 km of fewer photos is chance


def weighted_quantile(values: np.ndarray, weight: np.ndarray, q: float) -> float:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][min(np.searchsorted(share, q), len(values) - 1)])


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
            rows.append({"confidence": low, "p50_m": p50 * 1000, "p90_m": p90 * 1000})
    return monotone(rows)


def monotone(rows: list[dict]) -> list[dict]:
    """A higher confidence never has a larger radius: each row takes the largest radius of itself and the rows above it."""
    worst = {"p50_m": LEAST_RADIUS_M, "p90_m": LEAST_RADIUS_M}
    for row in reversed(rows):
        for key in worst:
            worst[key] = row[key] = float(np.ceil(max(worst[key], row[key]) / 100) * 100)
        row["p90_m"] = max(row["p90_m"], row["p50_m"])
    radii = [(row["p50_m"], row["p90_m"]) for row in rows]
    return [row for i, row in enumerate(rows) if i == 0 or radii[i] != radii[i - 1]]


def abstain_below(confidence: np.ndarray, error_km: np.ndarray, weight: np.ndarray, screenshots: np.ndarray) -> float:
    """The lowest confidence at which, of the photos answered, at least half are within 750 km, and at which at least 98 %
    of the drawn screenshots are refused. The worst case of every higher threshold counts, so that a lucky dip is not used."""
    order = np.argsort(-confidence, kind="stable")
    taken = np.cumsum(weight[order])
    good = np.cumsum(weight[order] * (error_km[order] <= ANSWERED_KM)) / taken
    settled = taken >= SETTLED_SHARE * weight.sum()
    fails = np.flatnonzero((good < ANSWERED_SHARE) & settled)
    last = fails[0] - 1 if len(fails) else len(order) - 1
    if last < 0 or not settled[last]:
        return 1.0
    floor = float(np.quantile(screenshots, SCREENSHOTS_REFUSED)) + 1e-4 if len(screenshots) else 0.0
    return round(max(float(confidence[order][last]), floor), 4)
