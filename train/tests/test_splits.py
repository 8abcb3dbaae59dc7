"""Who is held out, and that the committed lists keep their promises."""

import csv
from pathlib import Path

import numpy as np
import pytest

import demo_photos
import splits
from data import Photo
from score import distance_km

LISTS = Path(splits.HERE) / "splits"


def photo(name: str, lat: float, lon: float, album: str = "", source: str = "a/b") -> Photo:
    return Photo(name, "travel", None, "", lat, lon, "", album, album, source, "")


def rows(name: str) -> list[dict]:
    with open(LISTS / name, newline="") as f:
        return list(csv.DictReader(f))


def test_an_album_and_a_neighbourhood_of_one_source_stay_together():
    photos = [
        photo("paris", 48.85, 2.35, "trip"), photo("rome", 41.89, 12.49, "trip"), photo("ostia", 41.75, 12.30),
        photo("lima", -12.0, -77.0), photo("rome of another", 41.89, 12.49, source="c/d"),
    ]
    assert sorted(map(sorted, splits.groups(photos))) == [[0, 1, 2], [3], [4]]


def test_a_near_duplicate_leaves_the_less_strict_side():
    photos = [photo(n, 0, 0) for n in ("train", "val", "heldout", "other")]
    sides = {"train": "train", "val": "val", "heldout": "heldout", "other": "train"}
    vectors = np.array([[1, 0.01], [1, 0.0], [0.99, 0.02], [0, 1]])
    dropped = splits.drop_duplicates(photos, sides, vectors)
    assert {d[0] for d in dropped} == {"train", "val"}
    assert sides == {"train": "dropped", "val": "dropped", "heldout": "heldout", "other": "train"}


def test_no_demo_photo_and_no_neighbour_of_the_same_source_teaches():
    heldout = {row["id"] for row in rows("heldout_photos.csv")}
    gallery = rows("gallery.csv")
    demo = {photo_id for photo_id, _ in demo_photos.read_choice()} | {demo_photos.GIVEN_ID}
    assert demo <= heldout
    assert not heldout & {row["id"] for row in gallery}
    assert not {row["id"] for row in rows("heldout_landmarks.csv")} & {row["id"] for row in gallery}


def test_travel_photos_of_one_source_are_25_km_apart_across_sides():
    # The source of a travel photo is the first part of its id.
    teaching = [row for row in rows("gallery.csv") if row["file"].startswith("photos/")]
    for row in rows("heldout_photos.csv"):
        same = [t for t in teaching if t["id"].split("-")[0] == row["id"].split("-")[0]]
        if same:
            near = distance_km(float(row["lat"]), float(row["lon"]), [float(t["lat"]) for t in same], [float(t["lon"]) for t in same])
            assert near.min() >= splits.NEAR_KM, row["id"]


@pytest.mark.parametrize("name", ["heldout_photos.csv", "heldout_landmarks.csv", "gallery.csv"])
def test_lists_hold_ids_and_positions_only(name):
    assert set(rows(name)[0]) == {"id", "file", "lat", "lon", "taken_at", "album"}
