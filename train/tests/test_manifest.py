"""Manifests as people write them: what is refused as a whole, what is left out, and what is said about it."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

import manifest
import splits
import strangers

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
COLUMNS = "id,file,lat,lon,taken_at,album,source,split"


@pytest.fixture()
def folder(tmp_path) -> Path:
    """Forty readable pictures, p0.jpg to p39.jpg."""
    for i in range(40):
        strangers.draw(strangers.gradient, i).save(tmp_path / f"p{i}.jpg")
    return tmp_path


def good(i: int, **change) -> str:
    row = {"id": f"p{i}", "file": f"p{i}.jpg", "lat": f"{10 + i}", "lon": f"{-i}", "taken_at": "2024-05-31T18:05:00",
           "album": f"a{i // 4}", "source": "me", "split": ""} | change
    return ",".join(row[c] for c in COLUMNS.split(","))


def read(folder: Path, rows: list[str], columns: str = COLUMNS):
    table = folder / "manifest.csv"
    table.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    return manifest.read(table, folder, NOW)


def test_a_good_manifest_is_read_in_its_order(folder):
    photos, sides, skips = read(folder, [good(i) for i in range(39)] + [good(39, split="heldout")])
    assert [p.id for p in photos] == [f"p{i}" for i in range(40)]
    assert (photos[3].lat, photos[3].lon, photos[3].album, photos[3].taken_at) == (13.0, -3.0, "a0", "2024-05-31T18:05:00")
    assert sides == {"p39": "heldout"} and not skips.rows


@pytest.mark.parametrize(("change", "reason"), [
    ({"file": "lost.jpg"}, "there is no such file below the photo folder"),
    ({"file": ""}, "file is not a path below the photo folder"),
    ({"file": "../p1.jpg"}, "file is not a path below the photo folder"),
    ({"file": "/etc/hostname"}, "file is not a path below the photo folder"),
    ({"file": "empty.jpg"}, "the file is empty"),
    ({"file": "cut.jpg"}, "not a photo that can be decoded (OSError)"),
    ({"file": "text.jpg"}, "not a photo that can be decoded (UnidentifiedImageError)"),
    ({"lat": "91", "lon": "200"}, "lat or lon is not on the earth"),
    ({"lon": "180.5"}, "lat or lon is not on the earth"),
    ({"lat": "151.2", "lon": "-33.9"}, "lat is beyond ±90 and lon is not: the two look swapped"),
    ({"lat": "nan"}, "lat or lon is not finite"),
    ({"lon": "inf"}, "lat or lon is not finite"),
    ({"lat": ""}, "lat or lon is no number"),
    ({"lon": "12°30'"}, "lat or lon is no number"),
    ({"lat": "0", "lon": "0.0"}, "0, 0 is what software writes when it knows no position"),
    ({"id": "again", "file": "p1.jpg"}, "the file or the id was there before"),
    ({"id": "p1"}, "the file or the id was there before"),
])
def test_a_bad_photo_is_left_out_and_named(folder, change, reason):
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("not a photo")
    (folder / "cut.jpg").write_bytes((folder / "p0.jpg").read_bytes()[:700])
    photos, _, skips = read(folder, [good(i) for i in range(30)] + [good(30, **change)])
    assert len(photos) == 30
    assert skips.counts() == {reason: 1}
    assert skips.lines() == [f"1 × {reason}: row 32 ({change.get('file', 'p30.jpg')})"]


@pytest.mark.parametrize(("time", "reason"), [
    ("2031-01-01T00:00:00", "taken_at is in the future: ignored"),
    ("2026-06-03T00:00:00+02:00", "taken_at is in the future: ignored"),
    ("yesterday", "taken_at is not a time like 2024-05-31T18:05:00: ignored"),
    ("2024-02-30T10:00:00", "taken_at is not a time like 2024-05-31T18:05:00: ignored"),
])
def test_a_time_that_cannot_be_loses_itself_and_not_the_photo(folder, time, reason):
    photos, _, skips = read(folder, [good(i) for i in range(30)] + [good(30, taken_at=time)])
    assert len(photos) == 31 and photos[30].taken_at == ""
    assert skips.counts() == {reason: 1}


def test_times_may_be_absent(folder):
    photos, _, skips = read(folder, [f"p{i}.jpg,{i},{i + 1}" for i in range(30)], "file,lat,lon")
    assert len(photos) == 30 and not skips.rows
    assert all(p.taken_at == "" and p.album == "" and p.id == p.file for p in photos)


def test_three_of_a_kind_are_named_and_the_rest_counted(folder):
    _, _, skips = read(folder, [good(i) for i in range(25)] + [good(i, lat="99", lon="99") for i in range(25, 31)])
    assert skips.lines()[0].endswith("row 27 (p25.jpg), row 28 (p26.jpg), row 29 (p27.jpg) and 3 more")


@pytest.mark.parametrize(("rows", "columns", "said"), [
    ([], COLUMNS, "0 of 0 photos can be used, want at least 20 and half of them: the manifest has no more"),
    ([], "id,file,latitude,lon", "no column lat; the first line must name at least file, lat, lon"),
    ([good(i) for i in range(19)], COLUMNS, "19 of 19 photos can be used"),
    ([good(i) for i in range(21)] + [good(i, file=f"lost{i}.jpg") for i in range(21, 43)], COLUMNS, "22 × there is no such file"),
    ([good(1)] * 50, COLUMNS, "49 × the file or the id was there before"),
])
def test_a_manifest_that_must_be_wrong_stops_training(folder, rows, columns, said):
    with pytest.raises(manifest.ManifestError, match="manifest.csv") as error:
        read(folder, rows, columns)
    assert said in str(error.value)


def test_a_manifest_or_a_folder_that_is_not_there_is_named(folder):
    with pytest.raises(manifest.ManifestError, match="no such manifest"):
        manifest.read(folder / "lost.csv", folder, NOW)
    (folder / "manifest.csv").write_text(COLUMNS + "\n")
    with pytest.raises(manifest.ManifestError, match="no such photo folder"):
        manifest.read(folder / "manifest.csv", folder / "lost", NOW)


def test_albums_stay_whole_and_about_a_fifth_is_held_out(folder):
    photos, _, _ = read(folder, [good(i) for i in range(40)])
    sides = splits.deal(photos)
    assert 4 <= sum(side == "heldout" for side in sides.values()) <= 8
    for album in {p.album for p in photos}:
        assert len({sides[p.id] for p in photos if p.album == album}) == 1
