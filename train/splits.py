"""Who learns, who calibrates, who judges: every photo gets one of train, val, held out, or is dropped as a near-duplicate.

Travel photos are grouped before they are split: photos of one album belong together, and so do photos of one source
repository within 25 km of each other. A group goes to one side as a whole. Every group that holds a demo photo is held out,
and so are the small repositories of test pictures. Landmark photos are split by (source repository, landmark).
"""

import csv
import hashlib
import re
from collections import defaultdict
from pathlib import Path

import numpy as np

import demo_photos
from data import Photo
from score import distance_km

HERE = Path(__file__).resolve().parent
NEAR_KM = 25.0
LARGE_GROUP = 40  # photos; larger groups always teach, there are two
DUPLICATE_COSINE = 0.88  # looked at: from here up some pairs are one picture retouched or mirrored
NAIVE = re.compile(r"T[\d:.]+$")  # a time without an offset
TRAIN, VAL, HELDOUT, DROPPED = "train", "val", "heldout", "dropped"

HELDOUT_SOURCES = {
    "drewnoakes/metadata-extractor-images", "MikeKovarik/exifr", "ianare/exif-samples", "gastruc/osv5m",
    "immich-app/test-assets", "ThomasWinn/Landmark_Classification", "klausuribe/landmark-classifier-final-proyect-modulo6",
}
# Landmarks photographed by several sources: one source judges, another calibrates, the rest teaches.
WONDERS, HISTORY, INDIA = (
    "sivanujan-selvarajah/wonders-classifier", "Atquiya-Labiba/Historical-Architectural-Landmark-Recognizer",
    "Abinaya27m/indian-monuments-visual-search",
)
ONE_SOURCE = {
    (HISTORY, "Pyramids of Giza"): HELDOUT, (HISTORY, "Colosseum"): HELDOUT, (HISTORY, "Taj Mahal"): HELDOUT,
    ("hemeldebnath/Landmark-Recognition-CSI471-", "Statue of Liberty"): HELDOUT,
    (HISTORY, "Machu Picchu"): VAL, (HISTORY, "Chichen Itza"): VAL, (WONDERS, "Taj Mahal"): VAL,
}
# Landmarks nobody learns from: photos of places the model has never seen.
UNSEEN = {
    "Palace of Versailles": HELDOUT, "Patan Durbar Square": HELDOUT, "Charar-e-Sharief": HELDOUT,
    "Dome of the Rock": VAL, "Ha Long Bay": VAL, "Sun Temple Konark": VAL,
}


def groups(photos: list[Photo]) -> list[list[int]]:
    """Connected photos: same album, or same repository within NEAR_KM."""
    parent = list(range(len(photos)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    lat, lon = np.array([p.lat for p in photos]), np.array([p.lon for p in photos])
    for i, p in enumerate(photos):
        near = distance_km(p.lat, p.lon, lat, lon) < NEAR_KM
        for j in range(i):
            same_album = p.album and p.album == photos[j].album
            if same_album or (near[j] and p.source == photos[j].source):
                parent[root(i)] = root(j)
    found = defaultdict(list)
    for i in range(len(photos)):
        found[root(i)].append(i)
    return list(found.values())


def lot(name: str) -> float:
    """A number in [0,1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(f"planetag {name}".encode()).digest()[:6], "big") / 2**48


def split_travel(photos: list[Photo]) -> dict[str, str]:
    demo = {photo_id for photo_id, _ in demo_photos.read_choice()} | {demo_photos.GIVEN_ID, demo_photos.CORRUPT_FROM}
    sides = {}
    for group in groups(photos):
        members = [photos[i] for i in group]
        draw = lot(min(p.id for p in members))
        side = VAL if draw < 0.25 else HELDOUT if draw < 0.40 else TRAIN
        if len(members) > LARGE_GROUP:
            side = TRAIN
        if any(p.id in demo or p.source in HELDOUT_SOURCES for p in members):
            side = HELDOUT
        sides.update({p.id: side for p in members})
    return sides


def deal(photos: list[Photo], share: float = 0.2) -> dict[str, str]:
    """Sides of a user's photos: whole groups, in an order that depends on ids alone, are held out while they fit in the share."""
    found = [[photos[i].id for i in group] for group in groups(photos)]
    left, sides = share * len(photos), {}
    for group in sorted(found, key=lambda ids: lot(min(ids))):
        side = HELDOUT if len(group) <= left else TRAIN
        left -= len(group) if side == HELDOUT else 0
        sides |= dict.fromkeys(group, side)
    return sides


def split_landmarks(photos: list[Photo]) -> dict[str, str]:
    def side(p: Photo) -> str:
        if p.source in HELDOUT_SOURCES:
            return HELDOUT
        return UNSEEN.get(p.group) or ONE_SOURCE.get((p.source, p.group), TRAIN)

    return {p.id: side(p) for p in photos}


def drop_duplicates(photos: list[Photo], sides: dict[str, str], embeddings: np.ndarray) -> list[tuple[str, str, float]]:
    """Drops photos that nearly equal one of a stricter side (held out > val > train); returns (dropped, kept, cosine)."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    rank = {TRAIN: 0, VAL: 1, HELDOUT: 2}
    order = np.array([rank[sides[p.id]] for p in photos])
    dropped, product = [], unit @ unit.T
    for i in range(len(photos)):
        cosines = np.where(order > order[i], product[i], -1)
        j = int(cosines.argmax())
        if cosines[j] > DUPLICATE_COSINE:
            dropped.append((photos[i].id, photos[j].id, float(cosines[j])))
    sides.update({photo_id: DROPPED for photo_id, _, _ in dropped})
    return dropped


def read_rows(path: Path) -> list[dict]:
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def read_duplicates() -> list[tuple[str, str, float]]:
    """The demo's near-duplicates as they were found once, with Lite0: another backbone must not change the split."""
    rows = read_rows(HERE / "splits" / "duplicates.csv")
    return [(row["dropped"], row["kept"], float(row["cosine"])) for row in rows]


def write_gallery(path: Path, photos: list[Photo], sides: dict[str, str], folder: str | None = None) -> None:
    """The photos the model learned from, for the nearest-neighbour baseline; files are relative to the data folder, where
    the demo's two sets have a folder each."""
    learned = [p for p in photos if sides[p.id] in (TRAIN, VAL)]
    inside = [folder if folder is not None else {"travel": "photos/", "landmark": "landmarks/"}[p.kind] for p in learned]
    write_manifest(path, [(p, f"{where}{p.file}", "", "") for p, where in zip(learned, inside, strict=True)])


def write_heldout(path: Path, photos: list[Photo], sides: dict[str, str]) -> None:
    """The photos that judge."""
    judging = [p for p in photos if sides[p.id] == HELDOUT]
    write_manifest(path, [(p, p.file, f"{p.taken_at}Z" if NAIVE.search(p.taken_at) else p.taken_at, p.album) for p in judging])


def write_manifest(path: Path, rows: list[tuple[Photo, str, str, str]]) -> None:
    """The manifest `planetag eval` reads: ids and positions only, of photos with their file, time and album."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(["id", "file", "lat", "lon", "taken_at", "album"])
        writer.writerows([p.id, file, f"{p.lat:.6f}", f"{p.lon:.6f}", taken, album] for p, file, taken, album in rows)
