"""Everything training starts from: photos, their embeddings, their sides of the split, and the drawn screenshots."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import data
import features
import screenshots
import splits

SCREENS = range(1000, 1400)
SCREENS_TRAIN = 300  # the first teach, the rest calibrate


@dataclass(frozen=True)
class Corpus:
    photos: list[data.Photo]
    embeddings: np.ndarray  # [photos, views, width]
    screens: np.ndarray  # [pictures, views, width]
    sides: dict[str, str]
    duplicates: list[tuple[str, str, float]]

    def rows(self, side: str, kind: str | None = None) -> list[int]:
        return [i for i, p in enumerate(self.photos) if self.sides[p.id] == side and kind in (None, p.kind)]

    def weights(self, rows: list[int]) -> np.ndarray:
        """Travel and landmark photos weigh the same in total."""
        kinds = np.array([self.photos[i].kind for i in rows])
        counts = {k: (kinds == k).sum() for k in set(kinds)}
        return np.array([len(rows) / len(counts) / counts[k] for k in kinds])


def load(root: Path, work: Path) -> Corpus:
    travel, landmarks = data.read_photos(root), data.read_landmarks(root)
    photos = travel + landmarks
    embeddings = features.cached(work, "photos", [p.id for p in photos], lambda: ((p.id, Image.open(p.path)) for p in photos))
    screens = features.cached(
        work, "screens", [str(i) for i in SCREENS], lambda: ((f"s{i}", screenshots.draw(i)) for i in SCREENS))
    sides = splits.split_travel(travel) | splits.split_landmarks(landmarks)
    duplicates = splits.drop_duplicates(photos, sides, embeddings[:, 0])
    return Corpus(photos, embeddings, screens, sides, duplicates)
