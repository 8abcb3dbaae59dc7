"""A gallery of places and the cells it is folded into, the way enrich/gallery.go does it."""

import csv
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import s2sphere


def write(path: Path, lat: np.ndarray, lon: np.ndarray) -> None:
    """gallery.parquet: one row for each number the network may answer with."""
    if not (np.abs(lat) <= 90).all() or not (np.abs(lon) <= 180).all():  # also refuses NaN
        raise ValueError("the gallery has a place that is not on the earth")
    pq.write_table(pa.table({"lat": pa.array(lat, pa.float64()), "lon": pa.array(lon, pa.float64())}), path)


def build_cells(planetag: str, path: Path, lat: np.ndarray, lon: np.ndarray, max_photos: int, max_level: int) -> None:
    """cells.parquet over the coordinates of a gallery. No cell is dropped: each place of the gallery lies in one."""
    listed = path.with_suffix(".csv")
    with listed.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["lat", "lon"])
        lines.writerows(zip(lat.tolist(), lon.tolist(), strict=True))
    try:
        subprocess.run(
            [planetag, "cells", "build", str(listed), "--max-photos", str(max_photos), "--min-photos", "1",
             "--max-level", str(max_level), "--out", str(path)],
            check=True, capture_output=True, text=True,
        )
    except subprocess.CalledProcessError as err:
        raise RuntimeError(f"planetag cells build: {err.stderr.strip()}") from err
    finally:
        listed.unlink()


class Cells:
    """cells.parquet: rows sorted by S2 id."""

    def __init__(self, path: Path) -> None:
        table = pq.read_table(path).to_pydict()
        self.lat, self.lon = np.array(table["lat"]), np.array(table["lon"])
        self.radius_m = np.array(table.get("radius_p50_m", np.zeros(len(self.lat))))  # without the column the worker takes 0, too
        ids = [s2sphere.CellId.from_token(token) for token in table["cell"]]
        self._low = np.array([i.range_min().id() for i in ids], np.uint64)
        self._high = np.array([i.range_max().id() for i in ids], np.uint64)

    def __len__(self) -> int:
        return len(self.lat)

    def of(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """The row of each place: the cell it lies in, else the one whose mean location is nearest."""
        leaves = np.array(
            [s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(a, o)).id() for a, o in zip(lat.tolist(), lon.tolist(), strict=True)],
            np.uint64,
        )
        row = np.minimum(np.searchsorted(self._high, leaves), len(self) - 1)
        for stray in np.flatnonzero((leaves < self._low[row]) | (leaves > self._high[row])):
            row[stray] = np.argmax(unit(self.lat, self.lon) @ unit(lat[stray], lon[stray]))
        return row


def unit(lat, lon) -> np.ndarray:
    lat, lon = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)


def fold(prob: np.ndarray, row: np.ndarray, cell_of: np.ndarray, cells: int) -> np.ndarray:
    """float64 [n, cells]: the probabilities of the listed rows of the gallery, added up by cell."""
    folded = np.zeros((len(prob), cells))
    for i in range(len(prob)):
        folded[i] = np.bincount(cell_of[row[i]], weights=prob[i], minlength=cells)
    return folded
