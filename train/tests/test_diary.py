"""The diary of an archive: what it says of a day, to whom it says nothing, and that it is the worker's."""

import numpy as np
import pyarrow.parquet as pq
import pytest

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
    assert not empty and (empty.weigh(LOOKS, rows[:1], CELLS) == LOOKS).all()


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
