"""A user's own photos: a CSV of names and positions and the folder the files are in.

Columns `file`, `lat`, `lon` are needed; `id`, `taken_at` (ISO 8601), `album`, `source` (who took it) and `split` (train or
heldout) are used where they are there. What is wrong with the table as a whole is an error that names the remedy. What is
wrong with one photo leaves that photo out: counted, with the first rows of every kind named. So many may be bad that the
manifest must be wrong: over half, and training stops.
"""

import csv
import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from PIL import Image

from data import Photo

NEEDED = ("file", "lat", "lon")
NAMED = 3  # rows of each kind that are named
LEAST_PHOTOS = 20


class ManifestError(ValueError):
    """The manifest cannot be trained on; the message says what to change."""


@dataclass
class Skips:
    """What was left out, by reason: the rows of the photos, or of single values that were ignored."""

    rows: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, row: int, file: str) -> None:
        self.rows[reason].append(f"row {row} ({file})")

    def lines(self) -> list[str]:
        said = []
        for reason, rows in self.rows.items():
            more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
            said.append(f"{len(rows)} × {reason}: {', '.join(rows[:NAMED])}{more}")
        return said

    def counts(self) -> dict[str, int]:
        return {reason: len(rows) for reason, rows in self.rows.items()}


def position(row: dict) -> tuple[float, float]:
    """Latitude and longitude, or a ValueError that says what is wrong with them."""
    try:
        lat, lon = float(row["lat"]), float(row["lon"])
    except (TypeError, ValueError):
        raise ValueError("lat or lon is no number") from None
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise ValueError("lat or lon is not finite")
    if abs(lat) > 90 and abs(lat) <= 180 and abs(lon) <= 90:
        raise ValueError("lat is beyond ±90 and lon is not: the two look swapped")
    if abs(lat) > 90 or abs(lon) > 180:
        raise ValueError("lat or lon is not on the earth")
    if lat == 0 and lon == 0:
        raise ValueError("0, 0 is what software writes when it knows no position")
    return lat, lon


def clock(text: str, now: datetime) -> str:
    """The time as it was given, or a ValueError when it cannot be one: only a value that orders an album is kept."""
    if not text:
        return ""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("taken_at is not a time like 2024-05-31T18:05:00: ignored") from None
    if when.replace(tzinfo=when.tzinfo or timezone.utc) > now + timedelta(days=1):
        raise ValueError("taken_at is in the future: ignored")
    return text


def readable(path: Path) -> str:
    """Why a file is no photo, or nothing."""
    if not path.is_file():
        return "there is no such file below the photo folder"
    if path.stat().st_size == 0:
        return "the file is empty"
    try:
        with Image.open(path) as image:
            image.load()
    except Exception as e:  # a decoder may raise anything on bytes it does not know
        return f"not a photo that can be decoded ({type(e).__name__})"
    return ""


def photo_of(row: dict, number: int, folder: Path, skips: Skips, now: datetime) -> Photo | None:
    file = (row["file"] or "").strip()
    try:
        if not file or Path(file).is_absolute() or ".." in Path(file).parts:
            raise ValueError("file is not a path below the photo folder")
        lat, lon = position(row)
        if reason := readable(folder / file):
            raise ValueError(reason)
    except ValueError as e:
        skips.add(str(e), number, file)
        return None
    try:
        taken_at = clock((row.get("taken_at") or "").strip(), now)
    except ValueError as e:
        skips.add(str(e), number, file)
        taken_at = ""
    album = (row.get("album") or "").strip()
    return Photo((row.get("id") or file).strip(), "travel", folder / file, file, lat, lon, taken_at, album, album,
                 (row.get("source") or "").strip(), (row.get("licence") or "").strip())


def checked_columns(path: Path) -> list[dict]:
    if not path.is_file():
        raise ManifestError(f"{path}: there is no such manifest")
    with open(path, newline="", encoding="utf-8-sig") as f:
        reader = csv.DictReader(f)
        missing = [c for c in NEEDED if c not in (reader.fieldnames or [])]
        if missing:
            raise ManifestError(f"{path}: no column {', '.join(missing)}; the first line must name at least {', '.join(NEEDED)}")
        return list(reader)


def read(path: Path, folder: Path, now: datetime | None = None) -> tuple[list[Photo], dict[str, str], Skips]:
    """The usable photos in manifest order, the sides that column `split` gives, and what was left out."""
    rows, skips = checked_columns(path), Skips()
    if not folder.is_dir():
        raise ManifestError(f"{folder}: there is no such photo folder")
    photos, sides, ids, files = [], {}, set(), set()
    for number, row in enumerate(rows, start=2):  # line 1 names the columns
        photo = photo_of(row, number, folder, skips, now or datetime.now(timezone.utc))
        if photo is None:
            continue
        if photo.file in files or photo.id in ids:
            skips.add("the file or the id was there before", number, photo.file)
            continue
        files.add(photo.file)
        ids.add(photo.id)
        photos.append(photo)
        if (side := (row.get("split") or "").strip()) in ("train", "heldout"):
            sides[photo.id] = side
    if len(photos) < LEAST_PHOTOS or 2 * len(photos) < len(rows):
        told = "; ".join(skips.lines()) or "the manifest has no more"
        raise ManifestError(f"{path}: {len(photos)} of {len(rows)} photos can be used, want at least {LEAST_PHOTOS} and half of them: {told}")
    return photos, sides, skips
