"""What choosing among the places costs beside seeing the photo: `python gallery_cost.py BUNDLE`, on one thread as in the worker.

The network of a bundle with a gallery is cut where the embedding is done, and both parts are timed in turns.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import yaml
import graphs



def cut(bundle: Path, names: dict, work: Path) -> tuple[Path, Path]:
    """The graphs before and behind the embedding."""
    seeing, choosing = work / "seeing.onnx", work / "choosing.onnx"
    onnx.utils.extract_model(bundle / names["file"], seeing, [names["input"]], [names["embedding"]])
    onnx.utils.extract_model(bundle / names["file"], choosing, [names["embedding"]], [names["prob"], names["cell"]])
    return seeing, choosing


def measure(bundle: Path, photos: int, rounds: int) -> str:
    manifest = yaml.safe_load((bundle / "bundle.yaml").read_text())
    names, size = manifest["cnn"], manifest["input"]["size"]
    with tempfile.TemporaryDirectory() as folder:
        see, choose = (graphs.session(p) for p in cut(bundle, names, Path(folder)))
        pixels = np.random.default_rng(1).integers(0, 256, (photos, size, size, 3), np.uint8)
        embedding = see.run(None, {names["input"]: pixels})[0]
        spent = {"see": [], "choose": []}
        for _ in range(rounds):
            for name, runtime, fed in (("see", see, {names["input"]: pixels}), ("choose", choose, {names["embedding"]: embedding})):
                began = time.perf_counter()
                runtime.run(None, fed)
                spent[name].append(1000 * (time.perf_counter() - began) / photos)
    seeing, choosing = (statistics.median(spent[n]) for n in ("see", "choose"))
    return (f"{manifest['gallery']['count']} places, {photos} photos at a time, median of {rounds}: the tower takes {seeing:.1f} ms a photo, "
            f"product and top {names['top_k']} take {choosing:.1f} ms, which is {100 * choosing / seeing:.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--photos", type=int, default=1, help="in one run")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    print(measure(args.bundle, args.photos, args.rounds))


if __name__ == "__main__":
    main()
