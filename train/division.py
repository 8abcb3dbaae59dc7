"""The division of the earth of a learned bundle: the cells of an archive beside those of the bundle it started from.

One descent makes both, so that the result is disjoint whatever the two are. A cell that holds photos of the archive is divided
down to COARSEST, and further while it holds many; a cell of the base that holds cells of the archive is cut, and what is left of
it stays answerable as pieces. Every probability of a base cell goes to its pieces (`Division.base`).
"""

from dataclasses import dataclass

import numpy as np
import s2sphere

from cells import Cell, Cells, even_radius_m
from score import distance_km, mean_location

COARSEST = 9  # of an archive's cells: some 18 km wide
SPLIT_ABOVE = 30  # photos, as long as there are finer levels
MAIN = 0.98  # of a cut cell's probability for the piece its photos' mean lies in; the others share the rest by area
PLACE_M = 5000.0  # a cell of the base with half of its photos nearer than this is one place, which keeps its location
APART_KM = 1.0  # from there, photos of the archive get a cell of their own, if there are finer ones


@dataclass(frozen=True)
class Division:
    """`base` lists (row of the base, row here, share of its probability); `label` is the row of each photo."""

    cells: Cells
    base: list[tuple[int, int, float]]
    label: np.ndarray
    archive: np.ndarray  # rows that hold photos of the archive
    coarse: int  # rows that were kept coarse for the owner's sake


def leaves(lat, lon) -> np.ndarray:
    return np.array([s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(float(a), float(o))).id() for a, o in zip(lat, lon, strict=True)],
                    np.uint64)


class Span:
    """Sorted leaf ids, counted within a cell."""

    def __init__(self, ids: np.ndarray) -> None:
        self.order = np.argsort(ids, kind="stable")
        self.sorted = ids[self.order]

    def rows(self, cell: s2sphere.CellId) -> np.ndarray:
        low = np.searchsorted(self.sorted, np.uint64(cell.range_min().id()))
        high = np.searchsorted(self.sorted, np.uint64(cell.range_max().id()), side="right")
        return self.order[low:high]


def visited(lat: np.ndarray, lon: np.ndarray, days: list[str], level: int) -> set[int]:
    """Ids of the cells of `level` around the most visited places: the places are cells of `level`, ordered by the days on which
    photos were taken there (photos without a time count as a day of their own); the first three, and all with a twentieth of the
    days, with their eight neighbours."""
    seen: dict[int, set[str]] = {}
    for i, (leaf, day) in enumerate(zip(leaves(lat, lon), days, strict=True)):
        seen.setdefault(s2sphere.CellId(int(leaf)).parent(level).id(), set()).add(day or f"photo {i}")
    total = sum(len(d) for d in seen.values())
    order = sorted(seen, key=lambda c: (-len(seen[c]), c))
    places = [c for n, c in enumerate(order) if n < 3 or 20 * len(seen[c]) >= total]
    return {n.id() for c in places for n in [s2sphere.CellId(c), *s2sphere.CellId(c).get_all_neighbors(level)]}


def divide(lat: np.ndarray, lon: np.ndarray, base: Cells, cap: int, coarse: set[int] = frozenset(), level: int = 0) -> Division:
    """The union of the base's cells and those of photos at these places; in cells of `coarse` nothing is finer than `level`."""
    photos, own = Span(leaves(lat, lon)), [s2sphere.CellId.from_token(c.token) for c in base.rows]
    ends = np.array([c.range_min().id() for c in own], np.uint64)
    kept: list[tuple[s2sphere.CellId, int, np.ndarray, list[int], bool]] = []

    def within(cell: s2sphere.CellId) -> list[int]:
        low, high = np.searchsorted(ends, [np.uint64(cell.range_min().id()), np.uint64(cell.range_max().id())], side="left")
        high += high < len(ends) and ends[high] == np.uint64(cell.range_max().id())
        return [k for k in range(low, high) if cell.contains(own[k])]

    def descend(cell: s2sphere.CellId, parent: int) -> None:
        held, rows = within(cell), photos.rows(cell)
        if len(held) == 1 and own[held[0]] == cell:
            parent, held = held[0], []
        hushed = cell.level() == level and cell.id() in coarse
        if not len(rows) and not held:
            if parent >= 0:
                kept.append((cell, parent, rows, [], False))
            return
        finest = cell.level() >= cap
        many = len(rows) and (cell.level() < COARSEST or len(rows) > SPLIT_ABOVE or parent >= 0 and elsewhere(cell, base.rows[parent], lat[rows], lon[rows]))
        if hushed or finest or not held and not many:
            kept.append((cell, parent, rows, held, hushed))
            return
        for child in cell.children():
            descend(child, parent)

    for face in range(6):
        descend(s2sphere.CellId.from_face_pos_level(face, 0, 0), -1)
    kept.sort(key=lambda k: k[0].id())
    return assembled(kept, lat, lon, base)


def inside(cell: s2sphere.CellId, lat: float, lon: float) -> bool:
    return cell.contains(s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(lat, lon)))


def elsewhere(cell: s2sphere.CellId, known: Cell, lat: np.ndarray, lon: np.ndarray) -> bool:
    """The base knows one place in this cell, and the archive's photos are of another."""
    one = known.radius_m < PLACE_M and inside(cell, known.lat, known.lon)
    return one and float(distance_km(*mean_location(lat, lon), known.lat, known.lon)) > APART_KM


def assembled(kept, lat: np.ndarray, lon: np.ndarray, base: Cells) -> Division:
    """Rows with their locations, and where the probability of each base cell goes."""
    pieces: dict[int, list[tuple[int, float, bool]]] = {}
    middles = leaves(base.lat, base.lon)
    for u, (cell, parent, _, held, _) in enumerate(kept):
        for b in ([parent] if parent >= 0 else []) + held:
            pieces.setdefault(b, []).append((u, 4.0 ** -cell.level(), cell.contains(s2sphere.CellId(int(middles[b])))))
    shares = [(b, u, share) for b in sorted(pieces) for u, share in dealt(pieces[b])]
    given: dict[int, list[tuple[int, float]]] = {}
    for b, u, share in shares:
        given.setdefault(u, []).append((b, share))
    rows, label = [], np.full(len(lat), -1)
    for u, (cell, _, photos, _, hushed) in enumerate(kept):
        label[photos] = u
        rows.append(located(cell, lat[photos], lon[photos], [(base.rows[b], share) for b, share in given.get(u, [])], hushed))
    archive = np.array([u for u, k in enumerate(kept) if len(k[2])], np.int64)
    return Division(Cells(rows), shares, label, archive, sum(k[4] for k in kept))


def dealt(pieces: list[tuple[int, float, bool]]) -> list[tuple[int, float]]:
    """The share of each piece: most for the one with the photos' mean, or the largest where the mean lies in none of them."""
    main = next((k for k, p in enumerate(pieces) if p[2]), max(range(len(pieces)), key=lambda k: pieces[k][1]))
    area = sum(p[1] for k, p in enumerate(pieces) if k != main)
    rest = 1 - MAIN if area else 0.0
    return [(u, 1 - rest if k == main else rest * size / area) for k, (u, size, _) in enumerate(pieces)]


def located(cell: s2sphere.CellId, lat: np.ndarray, lon: np.ndarray, given: list[tuple[Cell, float]], hushed: bool) -> Cell:
    """A row: at the mean of the archive's photos; without any at that of the base's, if it lies inside, else in the middle. A cell
    that was kept coarse for the owner's sake lies in the middle, too: the mean would tell what the cell does not."""
    middle = cell.to_lat_lng()
    centre = middle.lat().degrees, middle.lng().degrees
    mine = [(c, share) for c, share in given if share > 0.5]
    photos = len(lat) + sum(c.photos for c, _ in mine)
    if len(lat):
        places = [c for c, _ in mine if c.radius_m < PLACE_M and inside(cell, c.lat, c.lon)]
        at = centre if hushed else mean_location(np.r_[lat, [c.lat for c in places]], np.r_[lon, [c.lon for c in places]],
                                                 np.r_[np.ones(len(lat)), [c.photos for c in places]])
        radius = 1000 * float(np.median(distance_km(*at, lat, lon)))
    elif mine and inside(cell, mine[0][0].lat, mine[0][0].lon):
        at, radius = (mine[0][0].lat, mine[0][0].lon), mine[0][0].radius_m
    else:
        at, radius = centre, even_radius_m(cell.level())
    return Cell(cell.to_token(), cell.level(), *at, max(int(photos), 1), round(radius, 1))
