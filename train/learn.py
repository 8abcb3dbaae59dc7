"""An archive teaches its own bundle: `make learn DATA=manifest PHOTOS=dir OUT=bundle` (from the top of the repository).

`planetag embed` sees the photos → cells beside the base's → head, kernel and gate (archive.py) → calibration on answers by models
that did not learn the photo → graph, golden answers, card; `planetag bundle verify`; and, of a twin that did not learn a fifth of
the albums, `planetag eval` against the base. Needs no PyTorch.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import archive
import bundled
import calibrate
import cells as cell_module
import division
import learned
import outcome
import splits
import store
import teach

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent / "pipeline/demo/photos"
VIEWS = 7
LEAST_PHOTOS = 20
HELD_OUT = 0.2


@dataclass(frozen=True)
class Seen:
    """Photos of known places as `planetag embed` wrote them."""

    rows: list[dict]
    lat: np.ndarray
    lon: np.ndarray
    x: np.ndarray  # [photos, views, width]

    def at(self, which: np.ndarray) -> "Seen":
        return Seen([self.rows[i] for i in which], self.lat[which], self.lon[which], self.x[which])

    def albums(self) -> list[str]:
        return [row["album"] or f"photo {row['id']}" for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="CSV or Parquet, as `planetag survey` writes it")
    parser.add_argument("--photos", type=Path, required=True, help="the folder that column file is relative to")
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder; it must not be there yet")
    parser.add_argument("--base", type=Path, default=HERE.parent / "bundles/demo", help="the bundle to learn on top of")
    parser.add_argument("--planetag", type=Path, default=HERE.parent / "bin/planetag")
    parser.add_argument("--work", type=Path, help="what finished steps are kept in, for you alone (default: OUT.work)")
    parser.add_argument("--elsewhere", type=Path, default=DEMO / "manifest.csv", help="manifest of photos of known places that are not of the archive")
    parser.add_argument("--elsewhere-photos", type=Path, default=DEMO)
    parser.add_argument("--coarsen", type=int, metavar="LEVEL", help="no cell finer than this S2 level around the most visited places")
    parser.add_argument("--no-diary", dest="diary", action="store_false", help="the bundle shall not know on which days the photos were taken")
    parser.add_argument("--promise", default=str(calibrate.Promise()), help='what answered photos keep, for instance "90%% within 200 km"')
    parser.add_argument("--views", type=int, default=VIEWS, help="other views of each photo to learn from")
    parser.add_argument("--name", default="archive")
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--licence", default="LicenseRef-private", help="of the bundle, an SPDX expression")
    args = parser.parse_args()
    if args.out.exists():
        parser.error(f"--out {args.out} is there already; name a new folder")
    if args.coarsen is not None and not 2 <= args.coarsen <= 12:
        parser.error(f"--coarsen {args.coarsen}: want an S2 level from 2 (2,000 km) to 12 (2 km)")
    args.work = args.work or args.out.with_name(f"{args.out.name}.work")
    return args


def embedded(args: argparse.Namespace, base: learned.Base, manifest: Path, photos: Path, views: int) -> Seen:
    """Runs `planetag embed`, unless it did so for the same manifest and network before."""
    import pyarrow.parquet as pq

    key = store.digest(manifest.read_bytes().hex(), str(photos.resolve()), (base.folder / "bundle.yaml").read_text(), views)
    path = args.work / f"embeddings-{key}.parquet"
    if not path.exists():
        subprocess.run([args.planetag, "embed", "--bundle", base.folder, "--manifest", manifest, "--photos", photos,
                        "--views", str(views), "--out", path], check=True)
    table = pq.read_table(path)
    x = np.stack([np.frombuffer(e, np.float32).reshape(1 + views, -1) for e in table["embedding"].to_pylist()])
    return Seen(table.drop_columns(["embedding"]).to_pylist(), table["lat"].to_numpy(), table["lon"].to_numpy(), x)


def elsewhere(args: argparse.Namespace, base: learned.Base, manifest: Path, photos: Path, views: int) -> Seen:
    """The photos that are not of the archive: the rows of their manifest with a position, which may lack a column id."""
    if manifest.suffix != ".parquet":
        with open(manifest, newline="", encoding="utf-8-sig") as f:
            rows = [row for row in csv.DictReader(f) if row["lat"]]
        manifest = write_manifest(args.work / "elsewhere.csv", [{"id": row["file"]} | row for row in rows])
    return embedded(args, base, manifest, photos, views)


def write_manifest(path: Path, rows: list[dict]) -> Path:
    columns = ["id", "file", "lat", "lon", "taken_at", "album", "source"]
    with open(path, "w", newline="") as f:
        writer = csv.DictWriter(f, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def sides(seen: Seen, share: float) -> tuple[np.ndarray, np.ndarray]:
    """(learns, held out): whole albums, in an order that depends on their names alone, are held out while they fit in the share."""
    albums = seen.albums()
    left, out = share * len(seen), set()
    for album in sorted(set(albums), key=splits.lot):
        if (count := albums.count(album)) <= left:
            left -= count
            out.add(album)
    held = np.array([a in out for a in albums])
    return np.flatnonzero(~held), np.flatnonzero(held)


def days(seen: Seen) -> list[str]:
    return [row["taken_at"][:10] for row in seen.rows]


def chained(planetag: Path, work: Path, parts: division.Division, photos: Seen, prob: np.ndarray, evidence: float) -> np.ndarray:
    """What `planetag album` makes of the probabilities [n, rows of the division] of photos in their albums."""
    cells = work / "division.parquet"
    cell_module.write(cells, parts.cells, [[]] * len(parts.cells))
    lines = []
    for row, album, p in zip(photos.rows, photos.albums(), prob, strict=True):
        top = [int(c) for c in np.argsort(-p, kind="stable") if p[c] > 0]
        at = {"taken_at": row["taken_at"]} if row["taken_at"] else {}
        lines.append(json.dumps({"id": row["id"], "album": album, **at, "cell": top, "p": p[top].tolist()}))
    done = subprocess.run([planetag, "album", "--cells", cells, "--evidence", str(evidence), "--top-k", str((prob > 0).sum(1).max())],
                          input="\n".join(lines), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"planetag album: {done.stderr.strip()}")
    out = np.zeros_like(prob)
    for i, answer in enumerate(map(json.loads, done.stdout.splitlines())):
        out[i, answer["cell"]] = answer["p"]
    return out


def made(args: argparse.Namespace, base: learned.Base, photos: Seen, others: Seen, out: Path) -> tuple[learned.Learned, teach.Modes]:
    """Learns and writes a bundle, all but its figures; returns what it has learned, and the modes it answers in."""
    cap, coarse = base.manifest["precision_cap_level"], frozenset()
    if args.coarsen is not None:
        coarse = division.visited(photos.lat, photos.lon, days(photos), args.coarsen)
    parts = division.divide(photos.lat, photos.lon, base.cells, cap, coarse, args.coarsen or 0)
    model, modes = teach.teach(base, parts, photos, others, calibrate.promise(args.promise), partial(chained, args.planetag, args.work), args.diary)
    bundled.write(args, base, model, modes, photos, out)
    return model, modes


def run(args: argparse.Namespace) -> None:
    os.umask(0o077)  # everything here says where somebody's photos were taken
    args.work.mkdir(parents=True, exist_ok=True)
    base = learned.Base(args.base)
    photos = embedded(args, base, args.manifest, args.photos, args.views)
    if len(photos) < LEAST_PHOTOS:
        raise ValueError(f"{args.manifest}: {len(photos)} photos have a position and can be read, want at least {LEAST_PHOTOS}")
    others = teach.elsewhere(elsewhere(args, base, args.elsewhere, args.elsewhere_photos, args.views), photos)
    learns, held = sides(photos, HELD_OUT)
    half, rest = sides(others, 0.5)
    twin = args.work / "twin"
    shutil.rmtree(twin, ignore_errors=True)
    print(f"a twin learns {len(learns)} photos, and is asked about {len(held)} of other albums and {len(rest)} from elsewhere", flush=True)
    made(args, base, photos.at(learns), others.at(half), twin)
    figures = {
        name: outcome.table(args.planetag, twin, args.base, write_manifest(args.work / f"{name}.csv", seen.at(which).rows), folder, anchors)
        for name, seen, which, folder, anchors in (
            ("heldout", photos, held, args.photos, ["--anchors", "0.5"]), ("strangers", others, rest, args.elsewhere_photos, []))
    }
    print(f"the bundle learns all {len(photos)}", flush=True)
    with bundled.making(args.out) as part:
        model, modes = made(args, base, photos, others, part)
        bundled.finish(args, base, model, modes, photos, part, figures)
        subprocess.run([args.planetag, "bundle", "verify", part], check=True)
    for name, title in (("heldout", "Albums of the archive that the twin did not learn"), ("strangers", "Photos from elsewhere")):
        print(f"\n{title}\n{figures[name]}")
    print(f"\n{args.out} is ready, for you alone: it contains the places of the archive. Its figures are in {args.out / 'CARD.md'}")


def main() -> None:
    args = arguments()
    try:
        run(args)
    except (ValueError, RuntimeError) as e:  # of the manifest, the base or the promise: what the user wrote, with the remedy
        sys.exit(f"learn: {e}")
    except subprocess.CalledProcessError as e:
        sys.exit(f"learn: {' '.join(map(str, e.cmd[:2]))} ended with status {e.returncode}")


if __name__ == "__main__":
    main()
