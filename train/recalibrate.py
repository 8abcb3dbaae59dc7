"""What any bundle is worth on photos of known places: `make -C train calibrate BUNDLE=DIR DATA=manifest PHOTOS=DIR OUT=DIR`.

Copies a bundle and measures radii and the confidence below which nothing is answered anew, for single answers and, with albums
among the photos, for their average. Nothing is known or needed of how the network was trained, but that it has not seen these
photos. The temperature stays what it is in the graph; album models, which were made with it, are left out.
"""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

import foreign
import gallery
import graphs
import pin
import square


def answers(bundle: Path, manifest: dict, photos: foreign.Photos, cells: gallery.Cells) -> np.ndarray:
    """[photos, cells]: what the bundle says of each."""
    cnn, size, crop = manifest["cnn"], manifest["input"]["size"], manifest["input"]["crop"]
    cell_of = np.arange(len(cells))
    if manifest["head"] == "gallery":
        import pyarrow.parquet as pq

        places = pq.read_table(bundle / manifest["gallery"]["file"])
        cell_of = cells.of(places["lat"].to_numpy(), places["lon"].to_numpy())
    session = graphs.session(bundle / cnn["file"])
    said = []
    for path in photos.path:
        prob, cell = session.run([cnn["prob"], cnn["cell"]], {cnn["input"]: square.pixels(Image.open(path), crop, size)[None]})
        said.append(gallery.fold(prob, cell, cell_of, len(cells)))
    return np.concatenate(said)


def recalibrated(manifest: dict, tables: dict) -> dict:
    """The manifest with these tables in place of all it had, and the modes that they are for."""
    kept = {key: manifest["album"][key] for key in ("hmm",) if key in manifest["album"]}
    modes = ["none"] + [mode for mode in tables if mode != "single"]
    return manifest | {"calibration": tables, "album": {"modes": modes, "default": modes[-1]} | kept}


def run(args: argparse.Namespace) -> str:
    manifest = yaml.safe_load((args.bundle / "bundle.yaml").read_text())
    photos = foreign.read_photos(args.calibrate, args.photos)
    cells = gallery.Cells(args.bundle / manifest["cells"]["file"])
    tables = foreign.measured(answers(args.bundle, manifest, photos, cells), cells, photos, manifest["calibration"]["single"]["temperature"])
    with foreign.making(args.out) as part:
        shutil.copytree(args.bundle, part, dirs_exist_ok=True)
        pin.write(part, recalibrated(manifest, tables))
    below = tables["single"]["abstain_below"]
    return f"{args.out}: calibrated {foreign.rests_on(photos, tables['single']['temperature'])}; " + (
        "no confidence keeps the promise, and it abstains always" if below >= 1 else f"answers from a confidence of {below:g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--calibrate", type=Path, required=True, help="manifest of photos that the model was not trained on, as for planetag eval")
    parser.add_argument("--photos", type=Path, required=True, help="folder that the manifest's files are in")
    args = parser.parse_args()
    if args.out.exists():
        parser.error(f"--out {args.out} is there already; name a new folder")
    try:
        print(run(args))
    except (ValueError, KeyError, OSError) as err:
        sys.exit(f"{args.bundle}: {err}")


if __name__ == "__main__":
    main()
