"""The division of the earth: what splits, what is dropped, what a cell answers."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import s2sphere

import cells
from data import Photo


def photo(lat: float, lon: float, name: str = "x") -> Photo:
    return Photo(name, "travel", None, "", lat, lon, "", "", "", "", "")


def around(lat: float, lon: float, n: int, spread: float = 0.05) -> list[Photo]:
    rng = np.random.default_rng(int(abs(lat) * 1000 + abs(lon)))
    return [photo(lat + rng.normal() * spread, lon + rng.normal() * spread) for _ in range(n)]


def test_crowded_places_get_fine_cells_and_lonely_photos_none():
    photos = around(48.86, 2.35, 200) + around(-33.9, 18.4, 30, 0.5) + [photo(0, -150)]
    found, labels = cells.build(photos, 50, 3, 12)
    assert labels[-1] == -1, "one photo in the ocean is no class"
    assert (labels[:-1] >= 0).mean() > 0.95
    paris = found.rows[labels[0]]
    cape = found.rows[labels[210]]
    assert paris.level > cape.level
    assert all(c.photos <= 50 for c in found.rows)


def test_one_shared_coordinate_splits_to_the_cap_and_no_further():
    found, labels = cells.build([photo(27.175, 78.042)] * 500, 50, 3, 12)
    assert [c.level for c in found.rows] == [12]
    assert found.rows[0].photos == 500 and (labels == 0).all()
    assert (found.rows[0].lat, found.rows[0].lon) == pytest.approx((27.175, 78.042))


def test_cells_are_sorted_and_disjoint_and_find_their_own_photos():
    rng = np.random.default_rng(3)
    photos = [photo(*p) for p in zip(rng.uniform(-80, 80, 900), rng.uniform(-180, 180, 900), strict=True)]
    found, labels = cells.build(photos, 20, 2, 12)
    ids = [s2sphere.CellId.from_token(c.token) for c in found.rows]
    for a, b in zip(ids, ids[1:], strict=False):
        assert a.range_max().id() < b.range_min().id()
    for p, label in zip(photos, labels, strict=True):
        leaf = s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(p.lat, p.lon))
        inside = [i for i, c in enumerate(ids) if c.contains(leaf)]
        assert inside == ([label] if label >= 0 else [])


def test_mean_location_across_the_antimeridian_stays_there():
    found, _ = cells.build([photo(-17, 179.9), photo(-17, 179.7), photo(-17, 179.8)], 50, 3, 12)
    assert found.rows[0].lon == pytest.approx(179.8, abs=0.01)


@pytest.mark.parametrize("lat", [float("nan"), 91.0])
def test_a_position_outside_the_earth_is_refused(lat):
    with pytest.raises(ValueError, match="not a position"):
        cells.build([photo(lat, 0)], 50, 3, 12)


def test_the_written_table_has_the_columns_the_worker_reads(tmp_path):
    found, labels = cells.build([photo(41.89, 12.49)] * 60, 50, 3, 12)
    named = cells.places([photo(41.89, 12.49)] * 60, labels, len(found))
    cells.write(tmp_path / "cells.parquet", found, named)
    table = pq.read_table(tmp_path / "cells.parquet")
    assert {f.name: str(f.type) for f in table.schema} == {
        "cell": "string", "lat": "double", "lon": "double", "level": "int32", "photos": "int64",
        "radius_p50_m": "double", "places": "string"}
    assert json.loads(table["places"][0].as_py()) == [
        {"country_code": "IT", "country": "Italy", "region": "Latium", "share": 1.0}]
