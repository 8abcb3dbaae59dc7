"""What any bundle is worth on photos of known places: `make -C train calibrate BUNDLE=DIR DATA=manifest PHOTOS=DIR OUT=DIR`.

Copies a bundle, fits its temperature, and measures radii and the expected error above which nothing is answered anew, for single
answers and, with albums among the photos, for their average; where the bundle knows its owner's days, for answers told of these, too.
Nothing is known or needed of how the network was trained, but that it has not seen these photos. The temperature changes only where it
suits photos that it was not fitted on, too. Album models, which were made with the old one, are left out.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import yaml
from PIL import Image

import calibrate
import foreign
import gallery
import golden
import graphs
import pin
import square
from diary import Diary
from splits import lot


@dataclass(frozen=True)
class Bundle:
    """What is measured."""

    folder: Path
    manifest: dict
    cells: gallery.Cells
    cell_of: np.ndarray  # of everything the network chooses from
    network: onnx.ModelProto

    @staticmethod
    def read(folder: Path) -> "Bundle":
        manifest = yaml.safe_load((folder / "bundle.yaml").read_text())
        cells = gallery.Cells(folder / manifest["cells"]["file"])
        cell_of = np.arange(len(cells))
        if manifest["head"] == "gallery":
            import pyarrow.parquet as pq

            places = pq.read_table(folder / manifest["gallery"]["file"])
            cell_of = cells.of(places["lat"].to_numpy(), places["lon"].to_numpy())
        return Bundle(folder, manifest, cells, cell_of, onnx.load(folder / manifest["cnn"]["file"]))

    def diary(self) -> Diary | None:
        """Its owner's days."""
        file = self.manifest["album"].get("diary")
        return Diary.read(self.folder / file) if file else None

    def dense(self) -> str | None:
        """The value with the probabilities of all choices, which can be read and changed; None where the network has no last choice."""
        try:
            return graphs.last_choice(self.network, self.manifest["cnn"]["prob"]).input[0]
        except ValueError:
            return None

    def look(self, photos: foreign.Photos) -> np.ndarray:
        """[squares, choices]: the probability of everything there is to choose from, at the temperature the bundle has; of what the
        network hands over, where nothing else can be seen."""
        cnn, dense, seer = self.manifest["cnn"], self.dense(), onnx.ModelProto()
        squares = foreign.squares(photos, self.manifest["input"]["crop"], self.manifest["input"]["size"])
        if dense is None:
            runtime = graphs.session(self.folder / cnn["file"])
            said = (runtime.run([cnn["prob"], cnn["cell"]], {cnn["input"]: pixels}) for pixels in squares)
            return np.concatenate([graphs.spread(prob, cell, len(self.cell_of)) for prob, cell in said])
        seer.CopyFrom(self.network)
        seer.graph.output.append(onnx.helper.make_empty_tensor_value_info(dense))
        with tempfile.TemporaryDirectory() as folder:  # by way of a file: a network may be larger than a message in memory can be
            graphs.write(seer, Path(folder) / "seer.onnx")
            runtime = graphs.session(Path(folder) / "seer.onnx")
            return np.concatenate([runtime.run([dense], {cnn["input"]: pixels})[0] for pixels in squares])

    def folded(self, prob: np.ndarray, k: int) -> np.ndarray:
        """[squares, cells] of the k most probable choices."""
        best = np.argsort(-prob, axis=1, kind="stable")[:, :k] if k < prob.shape[1] else np.tile(np.arange(k), (len(prob), 1))
        return gallery.fold(np.take_along_axis(prob, best, 1), best, self.cell_of, len(self.cells))


def tempered(prob: np.ndarray, t: float) -> np.ndarray:
    """What a graph with graphs.retempered says."""
    if t == 1:
        return prob
    with np.errstate(divide="ignore"):
        z = np.log(prob) / t
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def temperature(bundle: Bundle, seen: np.ndarray, photos: foreign.Photos) -> tuple[float, str]:
    """What the temperature is to be multiplied by, and, where that is 1, why. Albums are dealt into halves: what is fitted on
    either half must suit the other better than what the bundle has."""
    if bundle.dense() is None:
        return 1.0, "kept: the network's answer is not made by a TopK, before which it could be changed"
    if seen.dtype != np.float32:
        return 1.0, f"kept: the network's probabilities are {seen.dtype}, too coarse to be made others"
    truth = bundle.cells.of(photos.lat, photos.lon)
    half = np.array([lot(album or path.name) < 0.5 for album, path in zip(photos.album, photos.path, strict=True)])
    if min(half.sum(), (~half).sum()) < foreign.LEAST_PHOTOS / 4:
        return 1.0, "kept: too few albums to fit it on one half and try it on the other"

    def distribution(rows: np.ndarray):
        return lambda t: bundle.folded(tempered(seen[: len(truth)][rows], t), seen.shape[1])

    for fitted, tried in ((half, ~half), (~half, half)):
        t = foreign.temperature(distribution(fitted), truth[fitted])
        if foreign.loss(distribution(tried)(t), truth[tried]) >= foreign.loss(distribution(tried)(1.0), truth[tried]):
            return 1.0, "kept: what suits one half of the albums suits the other no better than what it has"
    return foreign.temperature(distribution(np.ones(len(truth), bool)), truth), ""


def recalibrated(manifest: dict, tables: dict) -> dict:
    """The manifest with these tables in place of all it had, and the modes that they are for."""
    kept = {key: manifest["album"][key] for key in ("hmm", "diary") if key in manifest["album"]}
    modes = ["none"] + [mode for mode in tables if mode not in calibrate.ALONE]
    return manifest | {"calibration": tables, "album": {"modes": modes, "default": modes[-1]} | kept}


def retemper(bundle: Bundle, out: Path, t: float) -> None:
    """The networks of the copy at another temperature, and its golden answers with them."""
    cnn = bundle.manifest["cnn"]
    for file in {cnn["file"], cnn.get("int8") or cnn["file"]}:
        graphs.save(graphs.retempered(onnx.load(out / file), cnn["prob"], t), out / file)
    path = out / bundle.manifest["golden"]
    known, runtime = json.loads(path.read_text()), graphs.session(out / cnn["file"])
    for i, photo in enumerate(known["photos"]):
        pixels = square.pixels(Image.open(path.parent / photo["file"]), bundle.manifest["input"]["crop"], bundle.manifest["input"]["size"])[None]
        embedding, prob, cell = runtime.run([cnn["embedding"], cnn["prob"], cnn["cell"]], {cnn["input"]: pixels})
        dense = gallery.fold(prob, cell, bundle.cell_of, len(bundle.cells))
        more = {"expected_error_m": round(1000 * float(calibrate.expected_error(dense, bundle.cells)[0]), 1)} if "expected_error_m" in photo else {}
        known["photos"][i] = golden.entry(photo["file"], dense[0].argmax(), dense[0].max(), embedding[0], **more)
    golden.save(path.parent, known["photos"], known["album"])


def run(args: argparse.Namespace) -> str:
    bundle = Bundle.read(args.bundle)
    photos = foreign.read_photos(args.calibrate, args.photos)
    seen = bundle.look(photos)
    t, why = temperature(bundle, seen, photos)
    said = bundle.folded(tempered(seen, t), bundle.manifest["cnn"]["top_k"])
    tables = foreign.measured(said, bundle.cells, photos, t * bundle.manifest["calibration"]["single"]["temperature"], bundle.diary())
    with foreign.making(args.out) as part:
        shutil.copytree(args.bundle, part, dirs_exist_ok=True)
        if t != 1:
            retemper(bundle, part, t)
        pin.write(part, recalibrated(bundle.manifest, tables))
    return f"{args.out}: calibrated {foreign.rests_on(photos, tables)}" + (f"; the temperature was {why}" if why else "")


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
