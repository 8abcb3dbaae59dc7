"""When the owner of an archive was where, by the day and by the cell: what photos of other albums say of one without a position, and of an album of such.

On a day, the owner was probably where the archive's photos of the days around it were taken (a quarter as probably a day later, a
sixty-fourth a week later), or near there. That moves a photo's probability among the archive's cells, as far as the photo is held to
be of the archive at all; no cell loses more than all but DOUBT of its share, because clocks are wrong and archives have several
people. Cells of the base, which know nothing of the owner, keep theirs. enrich/diary.go computes the same. `make draws` has what it
is worth: with photos of other albums alone, with clocks that are wrong, and for strangers' photos of the owner's days; and what its
numbers matter (`--set diary.NEAR_KM=100.0`): that one places more photos of albums whose days it knows and fewer of the others, less
FAINT costs more where clocks are wrong, and DOUBT hardly matters.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from cells import Cells
from score import distance_km

NEAR_KM = 200.0  # at which another cell counts for a quarter
DOUBT = 0.2
REACH = 30  # days, beyond which nobody remembers
FAINT = 1 / 16  # as much as a photo three days away speaks for nowhere in particular, so that a year without photos says nothing


def days(rows: list[dict]) -> np.ndarray:
    """The number of the day since 1970, UTC, on which each photo was taken; NaN where nobody knows."""

    def day(text: str) -> float:
        if not text:
            return np.nan
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() // 86400

    return np.array([day(row["taken_at"]) for row in rows], float)


@dataclass
class Diary:
    """`photos` of an archive were taken in the cell `row` on a `day`; all arrays of one length. `album` is whose they are, where that matters."""

    day: np.ndarray
    row: np.ndarray
    photos: np.ndarray
    album: np.ndarray

    @staticmethod
    def of(rows: list[dict], label: np.ndarray, albums: list[str] | None = None) -> "Diary":
        """Of photos in these rows of a division; those without a time are not in it."""
        day = days(rows)
        known = np.flatnonzero(~np.isnan(day))
        lines = Counter((albums[i] if albums else "", int(day[i]), int(label[i])) for i in known)
        album, *columns = zip(*sorted(lines), strict=True) if lines else ((), (), ())
        return Diary(*(np.array(c, int) for c in columns), np.array([lines[key] for key in sorted(lines)], int), np.array(album))

    def __len__(self) -> int:
        return len(self.day)

    @staticmethod
    def read(path: Path) -> "Diary":
        """What write has written."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        found = pq.read_table(path)
        day, row, photos = (found[name].cast(kind).to_numpy() for name, kind in (("day", pa.int32()), ("row", pa.int32()), ("photos", pa.int64())))
        return Diary(day, row, photos, np.full(len(day), ""))

    def knows(self, rows: list[dict], albums: list[str] | None = None) -> np.ndarray:
        """Which photos it tells where the owner was around their day; where the photos' albums are given, from other albums."""
        when = days(rows)

        @cache
        def said(day: float, album: str | None) -> bool:
            return bool(((np.abs(day - self.day) <= REACH) & (self.album != album if albums else True)).any())

        return np.array([said(when[i], albums[i] if albums else None) for i in range(len(rows))], bool)

    def weigh(self, prob: np.ndarray, rows: list[dict], cells: Cells, albums: list[str] | None = None) -> np.ndarray:
        """Distributions [n, cells] over photos' cells, with what the diary says of their days; where the photos' albums are given, what
        it knows from other albums."""
        own, at = np.unique(self.row, return_inverse=True)
        when, out = days(rows), prob.copy()
        if not len(self):
            return out
        near = (1 + distance_km(cells.lat[own, None], cells.lon[own, None], cells.lat[None, own], cells.lon[None, own]) / NEAR_KM) ** -2.0
        around = near.sum(1)

        @cache
        def prior(day: float, album: str | None) -> np.ndarray:
            apart = np.abs(day - self.day)
            told = np.flatnonzero((apart <= REACH) & (self.album != album if albums else True))
            weight = self.photos[told] * (1 + apart[told]) ** -2.0
            return ((weight / around[at[told]]) @ near[at[told]] * len(own) + FAINT) / (weight.sum() + FAINT)

        for i in np.flatnonzero(~np.isnan(when)):
            ours = prob[i, own]
            said, trust = ours * ((1 - DOUBT) * prior(when[i], albums[i] if albums else None) + DOUBT), min(ours.sum(), 1.0)
            if said.sum() > 0:
                out[i, own] = trust * said * ours.sum() / said.sum() + (1 - trust) * ours
        return out

    def write(self, path: Path) -> None:
        """diary.parquet, the way enrich/cells reads it."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({
            "day": pa.array(self.day.tolist(), pa.int32()).cast(pa.date32()), "row": pa.array(self.row.tolist(), pa.int32()),
            "photos": pa.array(self.photos.tolist(), pa.int64()),
        }), path, compression="snappy", store_schema=False)
