"""The table of somebody else's classes: class_label with hex_id (an S2 token, as in GeoEstimation's cells_*.csv), or with lat and lon."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import s2sphere

from cells import even_radius_m

LAT, LON = ("lat", "latitude", "latitude_mean"), ("lon", "lng", "longitude", "longitude_mean")
PHOTOS = ("photos", "imgs_per_cell")


@dataclass(frozen=True)
class Classes:
    """In the order of the network's outputs."""

    token: list[str]  # S2; empty where the classes are places
    lat: np.ndarray
    lon: np.ndarray
    photos: np.ndarray

    def __len__(self) -> int:
        return len(self.lat)

    def order(self) -> np.ndarray:
        """The class of each row of cells.parquet, which is sorted by S2 id."""
        return np.argsort([s2sphere.CellId.from_token(t).id() for t in self.token], kind="stable")


def read(path: Path) -> Classes:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.DictReader(file)
        names = {n.strip().lower(): n for n in lines.fieldnames or []}
        if "class_label" not in names:
            raise ValueError(f"{path} has no column class_label, but {', '.join(names) or 'nothing'}")
        pick = {key: next((names[n] for n in known if n in names), None) for key, known in (("lat", LAT), ("lon", LON), ("photos", PHOTOS))}
        hexed = names.get("hex_id")
        if not hexed and None in (pick["lat"], pick["lon"]):
            raise ValueError(f"{path} has neither hex_id nor lat and lon")
        rows = [one(path, line, row, names["class_label"], hexed, pick) for line, row in enumerate(lines, 2)]
    rows.sort()
    labels = [r[0] for r in rows]
    if not rows or labels != list(range(len(rows))):
        raise ValueError(f"{path}: class_label must be each of 0 to {max(len(rows) - 1, 0)} once")
    _, token, lat, lon, photos = zip(*rows, strict=True)
    return Classes(list(token) if hexed else [], np.array(lat), np.array(lon), np.array(photos))


def one(path: Path, line: int, row: dict, label: str, hexed: str | None, pick: dict) -> tuple:
    try:
        token = row[hexed].strip().lower() if hexed else ""
        cell = cell_of(token) if hexed else None
        if pick["lat"] and pick["lon"]:
            lat, lon = float(row[pick["lat"]]), float(row[pick["lon"]])
        else:
            middle = cell.to_lat_lng()
            lat, lon = middle.lat().degrees, middle.lng().degrees
        if not (abs(lat) <= 90 and abs(lon) <= 180):
            raise ValueError(f"{lat}, {lon} is not on the earth")
        return int(row[label]), token, lat, lon, max(int(row[pick["photos"]]), 1) if pick["photos"] else 1
    except (TypeError, ValueError) as err:
        raise ValueError(f"{path}, line {line}: {err}") from err


def cell_of(token: str) -> s2sphere.CellId:
    """s2sphere takes any hexadecimal number for a token."""
    if re.fullmatch("[0-9a-f]{1,16}", token):
        cell = s2sphere.CellId.from_token(token)
        if cell.is_valid() and cell.to_token() == token:
            return cell
    raise ValueError(f"{token!r} is not an S2 token")


def write_cells(path: Path, classes: Classes) -> None:
    """cells.parquet of classes that are cells, sorted by S2 id. The table says nothing of countries, so nor does the file; nor how the
    photos of a cell are spread, which the file takes to be evenly: it is what tells half a continent from a town."""
    order = classes.order()
    levels = [s2sphere.CellId.from_token(classes.token[i]).level() for i in order]
    pq.write_table(pa.table({
        "cell": pa.array([classes.token[i] for i in order], pa.string()),
        "lat": pa.array(classes.lat[order], pa.float64()), "lon": pa.array(classes.lon[order], pa.float64()),
        "level": pa.array(levels, pa.int32()),
        "photos": pa.array(classes.photos[order], pa.int64()), "radius_p50_m": pa.array(map(even_radius_m, levels), pa.float64()),
        "places": pa.array([""] * len(classes), pa.string()),
    }), path, compression="snappy", store_schema=False)
