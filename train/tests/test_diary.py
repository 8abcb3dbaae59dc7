"""The diary of an archive: what it says of a day, to whom it says nothing, and that it is the worker's."""

import numpy as np
import pyarrow.parquet as pq
import pytest

import bundled
import calibrate
import diary
import learn
import teach
from cells import Cell, Cells
from diary import Diary
from division import Division

ROME, PARIS, SYDNEY, NEW_YORK = range(4)
CELLS = Cells([Cell("132f7", 8, 41.9028, 12.4964, 40), Cell("47e67", 8, 48.8566, 2.3522, 30),
               Cell("6b13", 6, -33.8688, 151.2093, 10), Cell("89c25", 8, 40.7128, -74.006, 20)])
HOLIDAY = Diary(np.array([19000, 19007, 19030]), np.array([ROME, PARIS, NEW_YORK]), np.array([3, 1, 2]), np.array([""] * 3))
LOOKS = np.array([[0.3, 0.4, 0.2, 0.05]])  # Paris


def told(prob: np.ndarray, taken_at: str) -> np.ndarray:
    return HOLIDAY.weigh(prob, [{"taken_at": taken_at}], CELLS)[0]


@pytest.mark.parametrize(("taken_at", "want"), [  # the numbers are those of enrich/diary_test.go
    ("2022-01-09T23:59:59Z", [0.534005445, 0.194827913, 0.2, 0.021166642]),
    ("2022-01-16T23:59:59", [0.179791561, 0.547410030, 0.2, 0.022798409]),
    ("2030-01-01T23:59:59Z", [0.3, 0.4, 0.2, 0.05]),
    ("", [0.3, 0.4, 0.2, 0.05]),
])
def test_the_worker_is_told_the_same(taken_at: str, want: list[float]):
    assert told(LOOKS, taken_at) == pytest.approx(want, abs=1e-8)


def test_a_photo_that_is_hardly_of_the_archive_keeps_its_place():
    strange = np.array([[0.1, 0.1, 0.3, 0.0]])
    assert told(strange, "2022-01-08T12:00:00Z") == pytest.approx(strange[0], abs=0.02)
    assert told(strange, "2022-01-08T12:00:00Z").argmax() == SYDNEY


def test_days_are_those_of_greenwich():
    rows = [{"taken_at": text} for text in ("1970-01-02T00:30:00+02:00", "1970-01-02T00:30:00", "1969-12-31T23:00:00Z", "")]
    assert diary.days(rows).tolist()[:3] == [0, 1, -1] and np.isnan(diary.days(rows)[3])


def test_photos_are_counted_by_day_and_cell_and_written_for_the_worker(tmp_path):
    rows = [{"taken_at": t} for t in ("2022-01-08T01:00:00Z", "2022-01-08T09:00:00Z", "2022-01-08T10:00:00Z", "")]
    found = Diary.of(rows, np.array([ROME, ROME, PARIS, PARIS]))
    found.write(tmp_path / "diary.parquet")
    assert pq.read_table(tmp_path / "diary.parquet").cast(pq.read_schema(tmp_path / "diary.parquet")).to_pydict() == {
        "day": [np.datetime64("2022-01-08").astype(object)] * 2, "row": [ROME, PARIS], "photos": [2, 1]}
    empty = Diary.of(rows[3:], np.array([PARIS]))
    assert not empty and (empty.weigh(LOOKS, rows[:1], CELLS) == LOOKS).all() and not empty.knows(rows).any()
    again = Diary.read(tmp_path / "diary.parquet")
    assert (again.weigh(LOOKS, rows[:1], CELLS) == found.weigh(LOOKS, rows[:1], CELLS)).all() and again.knows(rows).tolist() == [True] * 3 + [False]


def test_a_day_is_known_for_a_month():
    at = [{"taken_at": t} for t in ("2022-02-07T00:00:00Z", "2022-03-09T23:59:59Z", "2022-03-10T00:00:00Z", "1969-12-31T00:00:00Z", "")]
    assert HOLIDAY.knows(at).tolist() == [True, True, False, False, False]


def archive_of_days(albums: int) -> tuple[learn.Seen, Division, np.ndarray]:
    """Albums of three, each in another of the four places and a year from the next, but for two beside each other; and what no picture shows."""
    rows = [{"id": str(i), "album": f"a{i // 3}", "taken_at": f"{1990 + i // 6}-01-0{1 + i // 3 % 2}T00:00:00Z"} for i in range(3 * albums)]
    label = np.arange(3 * albums) // 6 % 4
    photos = learn.Seen(rows, CELLS.lat[label], CELLS.lon[label], np.zeros((3 * albums, 1, 2)))
    return photos, Division(CELLS, [], label, np.arange(4), 0), np.full((3 * albums, 4), 0.25)


def taught(photos: learn.Seen, parts: Division, prob: np.ndarray, days: bool = True, strange: np.ndarray = LOOKS / 10) -> dict[str, dict]:
    return teach.modes(parts, photos, prob, strange, 1.0, calibrate.Promise(), lambda parts, at, prob, evidence: prob, days).tables


def test_radii_of_told_photos_are_those_of_told_answers():
    """Pictures that show nothing are 12 of 16 times a continent off; told by the album of the day before, never."""
    photos, parts, prob = archive_of_days(40)
    tables = taught(photos, parts, prob)
    assert list(tables)[:2] == ["single", "dated"] and list(tables)[-1] not in calibrate.ALONE
    single, dated = (tables[name]["radius"][0] for name in calibrate.ALONE)
    assert single["p90_m"] > 5e6 and dated["p90_m"] == calibrate.LEAST_RADIUS_M
    assert tables["dated"]["expected_error"]["promise"]["kept"] == 1
    assert "dated" not in taught(photos, parts, prob, days=False)
    known = Diary.of(photos.rows, parts.label)
    words = [bundled.day_words(teach.Modes(found, {}, {}, known)) for found in (tables, {})]
    assert "photos alone and albums" in words[0] and "photos alone are not" in words[1]
    sure = taught(photos, parts, prob, strange=prob[:5])["dated"]["expected_error"]["promise"]
    assert sure["answered"] == 0, "pictures taken nowhere that open the gate would be as sure on these days, and refuse all"


def test_photos_of_which_other_albums_know_no_day_do_not_calibrate():
    """Half of the albums lose their neighbour, and with it what is known of their day; too few are too few."""
    photos, parts, prob = archive_of_days(40)
    for row in photos.rows[:60]:
        row["taken_at"] = row["taken_at"].replace("-02T", "-01T") if int(row["id"]) % 6 < 3 else ""
    known = np.array([row["taken_at"] != "" and i >= 60 for i, row in enumerate(photos.rows)])
    diary = Diary.of(photos.rows, parts.label, photos.albums())
    assert (diary.knows(photos.rows, photos.albums()) == known).all()
    want = calibrate.table(teach.told(parts, photos, photos, prob)[known], CELLS, photos.lat[known], photos.lon[known],
                           diary.weigh(LOOKS / 10, photos.rows[60:61], CELLS), 1.0, calibrate.Promise())
    assert taught(photos, parts, prob)["dated"] == want
    few = photos.at(np.arange(60, 60 + teach.LEAST_TOLD - 2))
    parts = Division(CELLS, [], parts.label[60 : 60 + teach.LEAST_TOLD - 2], np.arange(4), 0)
    assert "dated" not in taught(few, parts, prob[: len(few)])


def test_what_calibrates_knows_other_albums_only():
    """Each album is of a day of its own, and all days are far from each other: nobody else can tell where it was."""
    rows = [{"id": str(i), "album": f"a{i // 3}", "taken_at": f"20{10 + i // 3}-01-01T00:00:00Z"} for i in range(60)]
    label = np.arange(60) // 3 % 4
    photos = learn.Seen(rows, CELLS.lat[label], CELLS.lon[label], np.zeros((60, 1, 2)))
    parts = Division(CELLS, [], label, np.arange(4), 0)
    flat = np.full((60, 4), 0.25)
    assert (Diary.of(rows, label).weigh(flat, rows, CELLS).argmax(1) == label).all()
    assert teach.told(parts, photos, photos, flat) == pytest.approx(flat)
    rows[3]["taken_at"] = "2010-01-02T00:00:00Z"  # one of another album, a day after the first
    assert (teach.told(parts, photos, photos, flat)[:3].argmax(1) == label[3]).all()
