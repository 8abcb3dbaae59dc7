"""Distances and the usual figures of photo geolocation."""

import numpy as np

EARTH_RADIUS_KM = 6371.0088  # IUGG R1, as in enrich/cells
THRESHOLDS_KM = (1, 25, 200, 750, 2500)
CLOSENESS_KM = 1492.7  # of GeoScore


def distance_km(lat_a, lon_a, lat_b, lon_b) -> np.ndarray:
    """Great-circle distance by the haversine formula; degrees in, kilometres out, arrays broadcast."""
    a, b = np.radians(lat_a), np.radians(lat_b)
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(np.subtract(lon_b, lon_a)) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def mean_location(lat, lon, weight=None) -> tuple[float, float]:
    """The normalised mean of unit vectors: right at the antimeridian and near the poles, unlike the mean of degrees."""
    a, o = np.radians(lat), np.radians(lon)
    vectors = np.stack([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)])
    x, y, z = np.average(vectors, axis=1, weights=weight)
    return float(np.degrees(np.arctan2(z, np.hypot(x, y)))), float(np.degrees(np.arctan2(y, x)))


def figures(errors_km: np.ndarray) -> dict[str, float]:
    """Shares within the thresholds, median, mean and GeoScore (5000·exp(−d/CLOSENESS_KM), averaged)."""
    out = {f"within_{t}km": float((errors_km <= t).mean()) for t in THRESHOLDS_KM}
    return out | {
        "median_km": float(np.median(errors_km)), "mean_km": float(errors_km.mean()),
        "geoscore": float((5000 * np.exp(-errors_km / CLOSENESS_KM)).mean()),
    }
