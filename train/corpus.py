"""Everything training starts from: photos, what the backbone sees in them, their sides of the split, and pictures taken nowhere."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import data
import features
import manifest
import screenshots
import splits
import store
import textures

SCREENS, STRANGERS = 300, 1100  # that teach
HELD = 110  # screenshots, besides those, that calibrate
LEARNING = (splits.TRAIN, splits.VAL)


@dataclass(frozen=True)
class Corpus:
    net: torch.nn.Module  # the backbone
    photos: list[data.Photo]
    seen: features.Views  # of the photos
    nowhere: features.Views  # of the pictures taken nowhere; the first `taught` of them teach, the rest calibrate
    kinds: list[str]  # of each of them: what drew it
    taught: int
    sides: dict[str, str]
    duplicates: list[tuple[str, str, float]] = field(default_factory=list)
    skips: dict[str, int] = field(default_factory=dict)

    def rows(self, *sides: str) -> list[int]:
        return [i for i, p in enumerate(self.photos) if self.sides[p.id] in sides]

    def weights(self, rows) -> np.ndarray:
        """Travel and landmark photos weigh the same in total."""
        kinds = np.array([self.photos[i].kind for i in rows])
        counts = {k: (kinds == k).sum() for k in set(kinds)}
        return np.array([len(rows) / len(counts) / counts[k] for k in kinds])

    def positions(self, rows) -> tuple[np.ndarray, np.ndarray]:
        return np.array([self.photos[i].lat for i in rows]), np.array([self.photos[i].lon for i in rows])


def nowhere_pictures() -> tuple[list[str], list, int]:
    """(names, picture makers, how many teach): screenshots and textures, those that teach first."""

    def screens(count: int, first: int) -> list[tuple]:
        return [(f"s{i}", lambda i=i: screenshots.draw(i)) for i in range(first, first + count)]

    def patterns(count: int, first: int) -> list[tuple]:
        kinds = textures.TAUGHT
        return [(f"{kinds[i % len(kinds)].__name__}-{i}", lambda i=i: textures.draw(kinds[i % len(kinds)], i))
                for i in range(first, first + count)]

    teach = screens(SCREENS, 1000) + patterns(STRANGERS, 0)
    hold = screens(HELD, 1000 + SCREENS)
    return [n for n, _ in teach + hold], [make for _, make in teach + hold], len(teach)


def kinds_of(names: list[str]) -> list[str]:
    """"screenshot" or the texture's name, from the names of nowhere_pictures."""
    return [name.split("-")[0] if "-" in name else "screenshot" for name in names]


def see(work: store.Store, net: torch.nn.Module, photos: list[data.Photo], trunk: bool, extra: int):
    """What the backbone sees in the photos and in the pictures taken nowhere."""
    names, makers, taught = nowhere_pictures()
    seen = features.cached(work, "photos", net, [p.id for p in photos], lambda i: Image.open(photos[i].path), extra, trunk)
    nowhere = features.cached(work, "pictures taken nowhere", net, names, lambda i: makers[i](), min(extra, 1), trunk)
    return seen, nowhere, kinds_of(names), taught


def demo(root: Path, work: store.Store, net: torch.nn.Module, trunk: bool = False, extra: int = features.AUGMENTED) -> Corpus:
    """The shared data set, with the sides the demo bundle is measured by."""
    travel, landmarks = data.read_photos(root), data.read_landmarks(root)
    photos = travel + landmarks
    sides = splits.split_travel(travel) | splits.split_landmarks(landmarks)
    duplicates = splits.read_duplicates()
    sides |= {photo_id: splits.DROPPED for photo_id, _, _ in duplicates}
    seen, nowhere, kinds, taught = see(work, net, photos, trunk, extra)
    return Corpus(net, photos, seen, nowhere, kinds, taught, sides, duplicates)


def own(table: Path, folder: Path, work: store.Store, net: torch.nn.Module, trunk: bool, extra: int) -> Corpus:
    """A user's photos. Albums and neighbourhoods of one source stay on one side; a fifth of them is held out."""
    photos, given, skips = manifest.read(table, folder)
    for line in skips.lines():
        print(f"skipped: {line}", flush=True)
    sides = splits.deal(photos) | given
    seen, nowhere, kinds, taught = see(work, net, photos, trunk, extra)
    duplicates = splits.drop_duplicates(photos, sides, seen.embeddings[:, 0])
    if not any(side == splits.TRAIN for side in sides.values()) or not any(side == splits.HELDOUT for side in sides.values()):
        raise manifest.ManifestError(f"{table}: all photos fall on one side of the split; give more albums or sources, or a column split")
    return Corpus(net, photos, seen, nowhere, kinds, taught, sides, duplicates, skips.counts())
