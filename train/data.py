"""The two photo sets of the shared data folder, read into one type.

`photos/` has an exact position per photo and openly licensed pixels; `landmarks/` has one typed position per famous place
and pixels that are used for training and evaluation only.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@dataclass(frozen=True)
class Photo:
    """One photo: `id` is unique over both sets, `group` is the album or landmark, `album` is empty when there is none."""

    id: str
    kind: str  # "travel" or "landmark"
    path: Path
    file: str  # relative to its set's folder
    lat: float
    lon: float
    taken_at: str  # ISO 8601 without offset, or ""
    album: str
    group: str
    source: str
    licence: str


def read_photos(root: Path) -> list[Photo]:
    """The photos with exact positions, in manifest order."""
    with open(root / "photos" / "manifest.csv", newline="") as f:
        return [
            Photo(r["id"], "travel", root / "photos" / r["file"], r["file"], float(r["lat"]), float(r["lon"]),
                  r["taken_at"], r["album"], r["album"], r["source_repo"], r["licence"])
            for r in csv.DictReader(f)
        ]


def read_landmarks(root: Path) -> list[Photo]:
    """The photos of famous places, in manifest order."""
    with open(root / "landmarks" / "manifest.csv", newline="") as f:
        return [
            Photo(r["id"], "landmark", root / "landmarks" / r["file"], r["file"], float(r["lat"]), float(r["lon"]),
                  "", "", r["class"], r["source_repo"], r["licence"])
            for r in csv.DictReader(f)
        ]
