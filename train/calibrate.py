"""From probabilities to promises: radius tables and the confidence under which nothing is answered.

All of it is measured on validation photos, in which travel photos and landmark photos weigh the same in total.
"""

import numpy as np

BINS = 8
ANSWERED_SHARE, ANSWERED_KM = 0.5, 750.0
SCREENSHOTS_REFUSED = 0.98


def weighted_quantile(values: np.ndarray, weight: np.ndarray, q: float) -> float:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][min(np.searchsorted(share, q), len(values) - 1)])


def radius_table(confidence: np.ndarray, error_km: np.ndarray, weight: np.ndarray, bins: int = BINS) -> list[dict]:
    """Rows of ascending confidence with the weighted median and 90 % quantile of the error, in metres, never growing.

    The edges are quantiles of the confidence, so each row rests on the same weight of photos.
    """
    edges = [0.0] + [weighted_quantile(confidence, weight, (i + 1) / bins) for i in range(bins - 1)]
    edges = sorted({round(e, 4) for e in edges})
    rows = []
    for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
        inside = (confidence >= low) & (confidence < high)
        if not inside.any():
            continue
        p50 = weighted_quantile(error_km[inside], weight[inside], 0.5)
        p90 = weighted_quantile(error_km[inside], weight[inside], 0.9)
        rows.append({"confidence": low, "p50_m": p50 * 1000, "p90_m": p90 * 1000})
    return monotone(rows)


def monotone(rows: list[dict]) -> list[dict]:
    """A higher confidence never has a larger radius: each row takes the largest radius of the rows above it."""
    worst = {"p50_m": 1000.0, "p90_m": 1000.0}
    for row in reversed(rows):
        for key in worst:
            worst[key] = row[key] = float(np.ceil(max(worst[key], row[key])))
        row["p90_m"] = max(row["p90_m"], row["p50_m"])
    return rows


def abstain_below(confidence: np.ndarray, error_km: np.ndarray, weight: np.ndarray, screenshots: np.ndarray) -> float:
    """The lowest confidence at which, of the photos answered, at least half are within 750 km, and at which at least 98 %
    of the drawn screenshots are refused. The worst case of every higher threshold counts, so that a lucky dip is not used."""
    order = np.argsort(-confidence, kind="stable")
    good = np.cumsum(weight[order] * (error_km[order] <= ANSWERED_KM)) / np.cumsum(weight[order])
    settled = np.cumsum(weight[order]) >= 0.02 * weight.sum()
    fails = np.flatnonzero((good < ANSWERED_SHARE) & settled)
    last = fails[0] - 1 if len(fails) else len(order) - 1
    if last < 0:
        return 1.0
    floor = float(np.quantile(screenshots, SCREENSHOTS_REFUSED)) + 1e-4 if len(screenshots) else 0.0
    return round(max(float(confidence[order][last]), floor), 4)


def ece(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error of the top cell with equal-width bins."""
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(sum(abs(confidence[at == b].mean() - correct[at == b].mean()) * (at == b).mean() for b in np.unique(at)))
