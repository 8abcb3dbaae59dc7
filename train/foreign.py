"""A bundle around a network that was not trained here: calibration, golden answers, card and manifest."""

import argparse
import csv
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image

import calibrate
import golden
import graphs
import pin
import square
import textures
from diary import Diary

TEMPERATURES = np.geomspace(0.1, 20, 40)
LEAST_PHOTOS = 100  # a calibration rests on; of fewer, a table of radii is chance
MOST_PHOTOS = 2000  # are looked at, evenly through the manifest: their scores are held in memory all at once
NOWHERE = 120  # pictures taken nowhere, of which all but 2 % are to be refused
EARTH_M = (10_007_600.0, 20_015_200.0)  # half of the earth, and all of it, around any point
GOLDEN = 3
ASKED = re.compile(r"@(\w+)@")
HERE = Path(__file__).resolve().parent


@dataclass
class Foreign:
    """What a manifest says of the network: `choices` are the rows of the gallery, or of the cells, that it chooses among."""

    name: str
    version: str
    licence: str
    summary: str
    size: int
    crop: float
    width: int
    top_k: int
    cells: int
    level_cap: int
    gallery: int  # places; 0 for a head of classes
    names: dict  # of the graph's input, embedding, prob and cell
    buckets: tuple[int, ...] = (1, 2, 4, 8)  # batch sizes


@dataclass(frozen=True)
class Photos:
    """The photos of an evaluation manifest whose files can be read, and how many cannot."""

    path: list[Path]
    lat: np.ndarray
    lon: np.ndarray
    album: list[str]
    unreadable: int
    taken_at: list[str] = field(default_factory=list)  # empty where nobody knows


def options(parser: argparse.ArgumentParser) -> None:
    """What every command that makes such a bundle takes."""
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--planetag", default=str(HERE.parent / "bin/planetag"))
    parser.add_argument("--calibrate", type=Path, help="manifest of photos that the model was not trained on, as for planetag eval")
    parser.add_argument("--photos", type=Path, help="folder that the manifest's files are in")


def checked(parser: argparse.ArgumentParser) -> argparse.Namespace:
    args = parser.parse_args()
    if (args.calibrate is None) != (args.photos is None):
        parser.error("--calibrate and --photos go together")
    if args.out.exists():
        parser.error(f"--out {args.out} is there already; name a new folder")
    return args


@contextmanager
def making(out: Path):
    """A folder that becomes `out` when everything in it was made; what a broken run leaves is called .part."""
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    part.rename(out)


def read_photos(manifest: Path, folder: Path) -> Photos:
    """Columns file, lat and lon, and album and taken_at if there are any: as `planetag eval` reads them."""
    kept, unreadable = [], 0
    with manifest.open(newline="", encoding="utf-8-sig") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            try:
                at = float(row["lat"]), float(row["lon"])
                path = folder / row["file"]
                datetime.fromisoformat(row.get("taken_at") or "1970-01-01")
            except (KeyError, TypeError, ValueError) as err:
                raise ValueError(f"{manifest}, line {line}: wants the columns file, lat and lon with numbers, and a taken_at, if any, like 2019-05-01T14:03:00Z: {err!r}") from err
            if not (abs(at[0]) <= 90 and abs(at[1]) <= 180):
                raise ValueError(f"{manifest}, line {line}: {at[0]}, {at[1]} is not on the earth")
            try:
                with Image.open(path) as image:
                    image.verify()
            except (OSError, SyntaxError):
                unreadable += 1
                continue
            kept.append((path, *at, row.get("album") or "", row.get("taken_at") or ""))
    if len(kept) < LEAST_PHOTOS:
        raise ValueError(f"{manifest}: {len(kept)} readable photos, a calibration wants at least {LEAST_PHOTOS}")
    kept = kept[::-(-len(kept) // MOST_PHOTOS)]
    path, lat, lon, album, taken_at = zip(*kept, strict=True)
    return Photos(list(path), np.array(lat), np.array(lon), list(album), unreadable, list(taken_at))


def squares(photos: Photos, crop: float, size: int) -> Iterator[np.ndarray]:
    """What a network is shown to be measured: uint8 [1, size, size, 3] of the photos, then of NOWHERE pictures that were taken nowhere."""
    for path in photos.path:
        with Image.open(path) as image:
            yield square.pixels(image, crop, size)[None]
    for _, picture in textures.assorted(NOWHERE):
        yield square.pixels(picture, crop, size)[None]


def temperature(distribution, true_cell: np.ndarray) -> float:
    """The one of TEMPERATURES with the least mean negative log-likelihood of the true cells; distribution(t) is [n, cells]."""
    return float(min(TEMPERATURES, key=lambda t: loss(distribution(t), true_cell)))


def loss(prob: np.ndarray, true_cell: np.ndarray) -> float:
    """Mean negative log-likelihood."""
    return float(-np.log(np.maximum(prob[np.arange(len(true_cell)), true_cell], 1e-12)).mean())


def measured(said: np.ndarray, cells, photos: Photos, t: float, diary: Diary | None = None) -> dict:
    """Calibration of single answers and, where photos have album mates, of averages; said is what the bundle will say of `squares`. With
    a diary, of answers told of their day, too, and averages are of these."""
    prob, strange, promise = said[:len(photos.path)], said[len(photos.path):], calibrate.Promise()
    tables = {"single": calibrate.table(prob, cells, photos.lat, photos.lon, strange, t, promise)}
    if diary:
        rows = [{"taken_at": at} for at in photos.taken_at]
        prob, known = diary.weigh(prob, rows, cells), np.flatnonzero(diary.knows(rows))
        if len(known) >= LEAST_PHOTOS:
            odd = diary.weigh(strange, [rows[i] for i in np.resize(known, len(strange))], cells)
            tables["dated"] = calibrate.table(prob[known], cells, photos.lat[known], photos.lon[known], odd, t, promise)
    mates = [i for i, a in enumerate(photos.album) if a and photos.album.count(a) > 1]
    if len(mates) >= LEAST_PHOTOS:
        mean = np.stack([prob[[j for j in mates if photos.album[j] == photos.album[i]]].mean(0) for i in mates])
        tables["average"] = calibrate.table(mean, cells, photos.lat[mates], photos.lon[mates], strange, t, promise)
    return tables


def rests_on(photos: Photos | None, tables: dict) -> str:
    """What a calibration rests on and costs, in words that follow "calibrated"."""
    if photos is None:
        return "on nothing: this bundle abstains always. Give --calibrate and --photos."
    single = tables["single"]
    kept = single["expected_error"]["promise"]
    worth = (f"{100 * kept['answered']:.0f} % of them are answered, {100 * kept['kept']:.0f} % of these within {kept['within_m'] / 1000:g} km"
             if kept["answered"] else f"nothing keeps the promise ({calibrate.Promise()}), and it abstains always")
    return f"on {len(photos.path)} photos ({photos.unreadable} could not be read), temperature {single['temperature']:.3f}; {worth}"


def unmeasured() -> dict:
    """Of a bundle that nobody has measured: it abstains always, and its radii are the earth."""
    rows = [{"confidence": 0.0, "p50_m": EARTH_M[0], "p90_m": EARTH_M[1]}]
    return {mode: {"temperature": 1.0, "abstain_below": 1.0, "radius": [dict(r) for r in rows]} for mode in ("single", "average")}


def draw(seed: int) -> Image.Image:
    """A smooth picture of chance colours: nobody's photo, and more than noise to a network."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    return Image.fromarray(coarse).resize((640, 480), Image.BICUBIC)


def write_golden(out: Path, about: Foreign, fold, pictures: list[tuple[str, Image.Image]] | None = None) -> None:
    """Drawn pictures and the answers of this machine; fold(prob, cell) is [n, cells]."""
    folder = out / "golden"
    folder.mkdir(exist_ok=True)
    pictures = pictures or [(f"drawn-{i}.jpg", draw(i)) for i in range(GOLDEN)]
    names = [name for name, _ in pictures]
    for name, picture in pictures:
        picture.save(folder / name, "JPEG", quality=92)
    pixels = np.stack([square.pixels(Image.open(folder / n), about.crop, about.size) for n in names])
    o = about.names
    embedding, prob, cell = graphs.session(out / "cnn.onnx").run([o["embedding"], o["prob"], o["cell"]], {o["input"]: pixels})
    folded = fold(prob, cell)
    photos = [golden.entry(name, folded[i].argmax(), folded[i].max(), embedding[i]) for i, name in enumerate(names)]
    golden.save(folder, photos, {"photos": names})


def write_card(out: Path, template: str, values: dict) -> None:
    text = (HERE / template).read_text()
    if left := set(ASKED.findall(text)) - values.keys():
        raise ValueError(f"{template} asks for {', '.join(sorted(left))}, which nothing fills in")
    (out / "CARD.md").write_text(ASKED.sub(lambda asked: str(values[asked[1]]), text))


def write_manifest(out: Path, about: Foreign, calibration: dict, album: dict | None = None) -> None:
    """bundle.yaml, last: it pins every other file. Modes are those that have a calibration, the last is the default; `album` is what
    is said of albums beside them."""
    modes = ["none"] + [m for m in calibration if m not in calibrate.ALONE]
    manifest = {
        "schema": 1, "name": about.name, "version": about.version, "licence": about.licence, "summary": about.summary,
        "head": "gallery" if about.gallery else "classes",
        "input": {"size": about.size, "crop": about.crop, "colour": "rgb", "layout": "nhwc", "type": "uint8", "resize": square.RESIZE},
        "cnn": {"file": "cnn.onnx", **about.names, "width": about.width, "top_k": about.top_k, "buckets": list(about.buckets)},
        "album": {"modes": modes, "default": modes[-1]} | (album or {}),
        "cells": {"file": "cells.parquet", "count": about.cells},
    }
    if about.gallery:
        manifest["gallery"] = pin.Flow(file="gallery.parquet", count=about.gallery)
    manifest |= {"calibration": calibration, "precision_cap_level": about.level_cap, "golden": "golden/golden.json"}
    pin.write(out, manifest)
