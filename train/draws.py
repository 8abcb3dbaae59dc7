"""What an archive teaches, over many draws of the photos that hide their position: `make draws DATA=manifest PHOTOS=folder SOURCE=…`.

Which half is hidden matters as much as most settings, so a setting is judged by all draws together, photo by photo, with
intervals over albums. Everything happens on embeddings that are made once, the division, the head and the gate of each draw
included; only the worker's part is not: `make outcome` has that. Beside the recipe are the plain heads of plain.py, what the photos'
times say, and what nobody can do better than. `--set archive.SOFTEN=1.5` learns each draw a second time with another value of a
constant, and prints what the recipe gains over it.
"""

import argparse
import csv
import os
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

import archive
import diary
import division
import interval
import learn
import learned
import plain
import splits
import teach
from diary import Diary
from score import distance_km

WITHIN_KM = (1, 25, 200, 750)
MODES = ("base, single", "learned, single", "base, album", "learned, album")
GAINS = {  # what is compared, photo by photo
    "learned − base, single": ("learned, single", "base, single"),
    "learned − base, album": ("learned, album", "base, album"),
    "picture − plain, single": ("picture, single", "plain, single"),
    "picture − plain, our cells, single": ("picture, single", "plain, our cells, single"),
    "diary − none, single": ("learned, single", "picture, single"),
    "others' diary − none, single": ("others' diary, single", "picture, single"),
    "wrong clock − none, single": ("wrong clock, single", "picture, single"),
    "no diary − plain, album": ("no diary, album", "plain, album"),
    "no diary − plain, our cells, album": ("no diary, album", "plain, our cells, album"),
    "learned − plain, album": ("learned, album", "plain, album"),
    "diary − none, album": ("learned, album", "no diary, album"),
    "others' diary − none, album": ("others' diary, album", "no diary, album"),
    "wrong clock − none, album": ("wrong clock, album", "no diary, album"),
}
ELSEWHERE = ("elsewhere, base", "elsewhere, learned", "elsewhere, on our days")
YEAR = 365  # days that a clock is wrong, at most


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="CSV with id, file, lat and lon, and taken_at and album if there are any")
    parser.add_argument("--photos", type=Path, required=True, help="the folder that column file is relative to")
    parser.add_argument("--source", default="", help="only photos whose ids begin so")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--set", action="append", default=[], metavar="MODULE.NAME=NUMBER", help="what the recipe is compared with; may be given again")
    parser.add_argument("--base", type=Path, default=learn.HERE.parent / "bundles/demo")
    parser.add_argument("--planetag", type=Path, default=learn.HERE.parent / "bin/planetag")
    parser.add_argument("--work", type=Path, default=learn.HERE / "work/draws", help="what embeddings are kept in")
    parser.add_argument("--elsewhere", type=Path, default=learn.DEMO / "manifest.csv", help="photos that are not of the archive: these shut the gate")
    parser.add_argument("--elsewhere-photos", type=Path, default=learn.DEMO)
    parser.add_argument("--strangers", type=Path, help="further photos that are not of the archive: these judge it")
    parser.add_argument("--strangers-photos", type=Path)
    parser.add_argument("--views", type=int, default=learn.VIEWS)
    return parser.parse_args()


@contextmanager
def changed(settings: list[str]):
    """The constants of the recipe as `--set` wants them."""
    before = []
    for setting in settings:
        name, _, number = setting.partition("=")
        module, _, constant = name.partition(".")
        owner = {"archive": archive, "diary": diary, "learned": learned, "teach": teach}.get(module)
        if not isinstance(getattr(owner, constant, None), float):
            raise ValueError(f"--set {setting}: want MODULE.NAME=NUMBER with a number of the recipe, such as archive.SOFTEN=1.5")
        before.append((owner, constant, getattr(owner, constant)))
        setattr(owner, constant, float(number))
    try:
        yield
    finally:
        for owner, constant, value in before:
            setattr(owner, constant, value)


def of_source(args: argparse.Namespace) -> Path:
    """The manifest's rows of the source, kept in the work folder."""
    with open(args.manifest, newline="", encoding="utf-8-sig") as f:
        rows = [row for row in csv.DictReader(f) if row["id"].startswith(args.source)]
    return learn.write_manifest(args.work / f"archive-{args.source or 'all'}.csv", rows)


def averaged(prob: np.ndarray, albums: list[str]) -> np.ndarray:
    names, of = np.unique(albums, return_inverse=True)
    return np.stack([prob[of == k].mean(0) for k in range(len(names))])[of]


def errors(cells, prob: np.ndarray, photos: learn.Seen) -> np.ndarray:
    """km from the most probable cell of each to where it was taken."""
    best = prob.argmax(1)
    return distance_km(photos.lat, photos.lon, cells.lat[best], cells.lon[best])


def answered(base: learned.Base, known: learn.Seen, hidden: learn.Seen, others: learn.Seen, strangers: learn.Seen | None) -> dict[str, np.ndarray]:
    """For each row of the table, how far off the answers are."""
    parts = division.divide(known.lat, known.lon, base.cells, base.manifest["precision_cap_level"])
    model, _, _ = teach.taught(base, parts, known, others)
    said = base.prob(hidden.x[:, 0])
    ours = told(parts, known, hidden, model.prob(hidden.x[:, 0], said))
    found = {}
    for kind, made in (("single", lambda prob: prob), ("album", lambda prob: averaged(prob, hidden.albums()))):
        found[f"base, {kind}"] = errors(base.cells, made(said), hidden)
        found |= {f"{name}, {kind}".replace("no diary, single", "picture, single"): errors(parts.cells, made(prob), hidden) for name, prob in ours.items()}
    if strangers is not None:
        said = base.prob(strangers.x[:, 0])
        prob = model.prob(strangers.x[:, 0], said)
        rows = [{"taken_at": known.rows[int(splits.lot(f"day {row['id']}") * len(known))]["taken_at"]} for row in strangers.rows]
        on_our_days = Diary.of(known.rows, parts.label).weigh(prob, rows, parts.cells)
        found |= dict(zip(ELSEWHERE, (errors(base.cells, said, strangers), errors(parts.cells, prob, strangers), errors(parts.cells, on_our_days, strangers)),
                          strict=True))
    return found


def told(parts: division.Division, known: learn.Seen, hidden: learn.Seen, prob: np.ndarray) -> dict[str, np.ndarray]:
    """What is said of the hidden photos: with the diary, as a worker has it; with one that knows other albums only, as of a camera's
    folder beside a telephone's; with one and wrong clocks; and without any, what the pictures alone say."""
    whole, others = Diary.of(known.rows, parts.label), teach.told(parts, known, hidden, prob)
    wrong = [row | {"taken_at": shifted(row["taken_at"], album)} for row, album in zip(hidden.rows, hidden.albums(), strict=True)]
    return {"learned": whole.weigh(prob, hidden.rows, parts.cells), "others' diary": others,
            "wrong clock": whole.weigh(prob, wrong, parts.cells), "no diary": prob}


def shifted(taken_at: str, album: str) -> str:
    """A time by a clock that is wrong by a day to a year, one for each album."""
    if not taken_at:
        return ""
    days = (1 + splits.lot(f"clock {album}") * (YEAR - 1)) * (1 if splits.lot(f"slow {album}") < 0.5 else -1)
    return (datetime.fromisoformat(taken_at) + timedelta(days=days)).isoformat()


def compared(base: learned.Base, known: learn.Seen, hidden: learn.Seen) -> dict[str, np.ndarray]:
    """The rows that no setting of the recipe changes: plain heads, times, and limits."""
    parts = division.divide(known.lat, known.lon, base.cells, base.manifest["precision_cap_level"])
    cuts = {"plain": plain.planet(known, base.manifest["precision_cap_level"]), "plain, our cells": plain.recipes(parts)}
    found, limits = {}, {}
    for name, (cells, label) in cuts.items():
        prob = plain.answers(known, hidden, cells, label)
        found |= {f"{name}, single": errors(cells, prob, hidden), f"{name}, album": errors(cells, averaged(prob, hidden.albums()), hidden)}
        limits[f"best cell, {name.replace('plain, ', '')}"] = cells.distances(hidden.lat, hidden.lon).min(1)
    km = distance_km(hidden.lat[:, None], hidden.lon[:, None], known.lat[None], known.lon[None])
    mates = np.array(hidden.albums())[:, None] == np.array(known.albums())[None]
    gaps = np.abs(hours(hidden)[:, None] - hours(known)[None])
    for where, others in (("album", mates), ("other albums", ~mates), ("archive", np.full(km.shape, True))):
        found[f"nearest in time, {where}"] = nearest(km, np.where(others, gaps, np.nan))
        limits[f"nearest in space, {where}"] = np.where(others, km, np.inf).min(1)
    return found | limits


def hours(photos: learn.Seen) -> np.ndarray:
    """When each was taken; NaN where nobody knows."""
    times = [row["taken_at"] and datetime.fromisoformat(row["taken_at"]).replace(tzinfo=None) for row in photos.rows]
    return np.array([(t - datetime(1970, 1, 1)).total_seconds() / 3600 if t else np.nan for t in times])


def nearest(km: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """How far each photo is from the one with the smallest gap; infinitely where there is none."""
    gaps = np.where(np.isnan(gaps), np.inf, gaps)
    best = gaps.argmin(1)[:, None]
    return np.where(np.isfinite(np.take_along_axis(gaps, best, 1)), np.take_along_axis(km, best, 1), np.inf)[:, 0]


def line(name: str, values: np.ndarray, units: list[str], sign: str = "") -> str:
    return f"{name:34s}" + "".join(f"{interval.mean(100.0 * v, units).text(sign):>22s}" for v in values)


def near(km: np.ndarray) -> np.ndarray:
    """[thresholds, photos] of errors."""
    return (km[None] <= np.array(WITHIN_KM)[:, None]).astype(float)


def table(recipe: list[dict], other: list[dict], albums: list[list[str]], strangers: list[str]) -> str:
    """The rows of all draws; and what the recipe gains over the other setting, if there is one."""
    lines = [f"{f'{len(recipe)} draws, % within':34s}" + "".join(f"{f'{km} km':>22s}" for km in WITHIN_KM)]
    units = {name: strangers * len(recipe) if name in ELSEWHERE else [a for draw in albums for a in draw] for name in recipe[0]}
    values = {name: near(np.concatenate([draw[name] for draw in recipe])) for name in recipe[0]}
    lines += [line(name, values[name], units[name]) for name in values]
    for name, (first, second) in GAINS.items():
        if first in values and second in values:
            lines.append(line(name, values[first] - values[second], units[first], "+"))
    for name in [n for n in (other[0] if other else []) if "base" not in n]:
        lines.append(line(f"{name}: − set", values[name] - near(np.concatenate([draw[name] for draw in other])), units[name], "+"))
    return "\n".join([*lines, f"95 % intervals over {len(set(units[MODES[0]]))} albums, which all draws share"])


def run(args: argparse.Namespace) -> str:
    os.umask(0o077)  # what is kept says where somebody's photos were taken
    args.work.mkdir(parents=True, exist_ok=True)
    base = learned.Base(args.base)
    photos = learn.embedded(args, base, of_source(args), args.photos, args.views)
    others = learn.elsewhere(args, base, args.elsewhere, args.elsewhere_photos, args.views)
    strangers = learn.elsewhere(args, base, args.strangers, args.strangers_photos, 0) if args.strangers else None
    recipe, other, albums = [], [], []
    for draw in range(args.draws):
        shown = np.array([splits.lot(f"shown {draw or ''}{row['id']}") < 0.5 for row in photos.rows])  # as hidden.py, whose first seed is empty
        known, hidden = photos.at(np.flatnonzero(shown)), photos.at(np.flatnonzero(~shown))
        away = teach.elsewhere(others, known)
        recipe.append(answered(base, known, hidden, away, strangers) | compared(base, known, hidden))
        albums.append(hidden.albums())
        if args.set:
            with changed(args.set):
                other.append(answered(base, known, hidden, away, strangers))
    return table(recipe, other, albums, strangers.albums() if strangers else [])


def main() -> None:
    args = arguments()
    try:
        print(run(args))
    except (ValueError, RuntimeError) as e:
        sys.exit(f"draws: {e}")


if __name__ == "__main__":
    main()
