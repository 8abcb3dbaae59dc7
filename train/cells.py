"""Adaptive S2 cells: PlaNet's division of the earth by where photos are.

Weyand, Kostrikov, Philbin, "PlaNet" (ECCV 2016), section 3: descend from the six faces until no cell holds more than
`split_above` photos, then drop the cells with fewer than `keep_from`. Places where many photos share one coordinate would
split for ever, so there is a level cap.
"""

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import s2sphere

from data import Photo
from score import EARTH_RADIUS_KM, distance_km, mean_location


@dataclass(frozen=True)
class Cell:
    """One class: `photos` are the training photos inside, (lat, lon) is their mean location, half of them are within radius_m."""

    token: str
    level: int
    lat: float
    lon: float
    photos: int
    radius_m: float = 0.0


class Cells:
    """The classes, sorted by S2 id, disjoint."""

    def __init__(self, cells: list[Cell]) -> None:
        self.rows = cells
        self.lat = np.array([c.lat for c in cells])
        self.lon = np.array([c.lon for c in cells])
        self.radius_m = np.array([c.radius_m for c in cells])
        self.photos = np.array([c.photos for c in cells], np.float64)
        ids = [s2sphere.CellId.from_token(c.token) for c in cells]
        self._low = np.array([i.range_min().id() for i in ids], np.uint64)
        self._high = np.array([i.range_max().id() for i in ids], np.uint64)

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, leaves: np.ndarray) -> np.ndarray:
        """The row of each leaf id, or −1 where no cell was kept."""
        row = np.searchsorted(self._high, leaves)
        inside = (row < len(self.rows)) & (self._low[np.minimum(row, len(self.rows) - 1)] <= leaves)
        return np.where(inside, row, -1)

    def first_leaves(self) -> np.ndarray:
        """The first leaf of each cell: a coarser division finds the cell around it by it."""
        return self._low

    def distances(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """km [photos, cells]"""
        return distance_km(lat[:, None], lon[:, None], self.lat[None], self.lon[None])

    def spacing(self) -> float:
        """The median distance of a cell to its nearest neighbour, km; of a single cell, that of anywhere to anywhere."""
        if len(self) < 2:
            return 1e4
        d = self.distances(self.lat, self.lon)
        np.fill_diagonal(d, np.inf)
        return float(np.median(d.min(1)))


def even_radius_m(level: int) -> float:
    """How far half of what is spread evenly over a mean cell of the level is from its middle, were it a circle: metres."""
    return 2000 * EARTH_RADIUS_KM * (6 * 4.0**level) ** -0.5 / 2**0.5


def leaf_ids(photos: list[Photo]) -> np.ndarray:
    def leaf(p: Photo) -> int:
        at = s2sphere.LatLng.from_degrees(p.lat, p.lon)
        if not at.is_valid():
            raise ValueError(f"photo {p.id}: {p.lat}, {p.lon} is not a position")
        return s2sphere.CellId.from_lat_lng(at).id()

    return np.array([leaf(p) for p in photos], np.uint64)


def divide(leaves: np.ndarray, split_above: int, keep_from: int, level_cap: int) -> list[s2sphere.CellId]:
    """The kept cells, in S2 order."""
    ordered = np.sort(leaves)
    kept: list[s2sphere.CellId] = []

    def descend(cell: s2sphere.CellId) -> None:
        low = np.searchsorted(ordered, np.uint64(cell.range_min().id()))
        high = np.searchsorted(ordered, np.uint64(cell.range_max().id()), side="right")
        if high - low > split_above and cell.level() < level_cap:
            for child in cell.children():
                descend(child)
        elif high - low >= keep_from:
            kept.append(cell)

    for face in range(6):
        descend(s2sphere.CellId.from_face_pos_level(face, 0, 0))
    return sorted(kept, key=lambda c: c.id())


def build(photos: list[Photo], split_above: int, keep_from: int, level_cap: int) -> tuple[Cells, np.ndarray]:
    """The cells of the training photos, and each photo's row (−1 = in a dropped cell)."""
    leaves = leaf_ids(photos)
    ids = divide(leaves, split_above, keep_from, level_cap)
    lat, lon = np.array([p.lat for p in photos]), np.array([p.lon for p in photos])
    rows = []
    for cell in ids:
        inside = (leaves >= np.uint64(cell.range_min().id())) & (leaves <= np.uint64(cell.range_max().id()))
        mean = mean_location(lat[inside], lon[inside])
        spread = 1000 * float(np.median(distance_km(*mean, lat[inside], lon[inside])))
        rows.append(Cell(cell.to_token(), cell.level(), *mean, int(inside.sum()), round(spread, 1)))
    found = Cells(rows)
    return found, found.find(leaves)


def places(photos: list[Photo], labels: np.ndarray, count: int) -> list[list[dict]]:
    """Country and region of each cell with the share of its photos, most first (names: GeoNames, CC BY 4.0)."""
    import reverse_geocoder

    countries = {row["alpha_2"]: row["name"] for row in country_names()}
    found = reverse_geocoder.search([(p.lat, p.lon) for p in photos], mode=1, verbose=False)
    tallies = [Counter() for _ in range(count)]
    for label, place in zip(labels, found, strict=True):
        if label >= 0:
            tallies[label][(place["cc"], place["admin1"])] += 1
    return [
        [
            {"country_code": cc, "country": countries.get(cc, cc), "region": region, "share": round(n / tally.total(), 4)}
            for (cc, region), n in sorted(tally.items(), key=lambda item: (-item[1], item[0]))
        ]
        for tally in tallies
    ]


def country_names() -> list[dict]:
    import pycountry

    return [{"alpha_2": c.alpha_2, "name": getattr(c, "common_name", c.name)} for c in pycountry.countries]


def write(path, cells: Cells, named: list[list[dict]]) -> None:
    """cells.parquet, the way enrich/cells reads it."""
    table = pa.table({
        "cell": pa.array([c.token for c in cells.rows], pa.string()),
        "lat": pa.array([c.lat for c in cells.rows], pa.float64()),
        "lon": pa.array([c.lon for c in cells.rows], pa.float64()),
        "level": pa.array([c.level for c in cells.rows], pa.int32()),
        "photos": pa.array([c.photos for c in cells.rows], pa.int64()),
        "radius_p50_m": pa.array([c.radius_m for c in cells.rows], pa.float64()),
        "places": pa.array([json.dumps(p, ensure_ascii=False) for p in named], pa.string()),
    })
    pq.write_table(table, path, compression="snappy", store_schema=False)
