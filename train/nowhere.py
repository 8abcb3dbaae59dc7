"""How a finished bundle treats pictures that were taken nowhere, and what that costs: `make nowhere`.

Asks the bundle's own graph, the way the worker does for one photo alone, about the pictures of strangers.JUDGED, which no
training saw, about screenshots with seeds of their own, and about the real photos of the held-out lists.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import yaml
from PIL import Image

import calibrate
import data
import graphs
import screenshots
import splits
import square
import strangers

HERE = Path(__file__).resolve().parent
SCREENSHOTS = range(50_000, 50_020)


class Bundle:
    """A bundle that answers one photo at a time."""

    def __init__(self, folder: Path) -> None:
        self.manifest = yaml.safe_load((folder / "bundle.yaml").read_text())
        self.graph = graphs.session(folder / self.manifest["cnn"]["file"])
        cells = pq.read_table(folder / self.manifest["cells"]["file"]).to_pydict()
        self.lat, self.lon, self.radius_m = (np.array(cells[column]) for column in ("lat", "lon", "radius_p50_m"))
        self.by_error = self.manifest["calibration"]["single"]["expected_error"]

    def __len__(self) -> int:
        return len(self.lat)

    def see(self, image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities [1, K], the greatest first, and their cells."""
        size, crop = self.manifest["input"]["size"], self.manifest["input"]["crop"]
        prob, cell = self.graph.run(["prob", "cell"], {"pixels": square.pixels(image, crop, size)[None]})
        return prob, cell

    def best(self, image: Image.Image) -> int:
        """The most probable cell."""
        return int(self.see(image)[1][0, 0])

    def refuses(self, image: Image.Image) -> bool:
        dense = graphs.spread(*self.see(image), len(self))
        expected_m = 1000 * calibrate.expected_error(dense, self)
        return bool(expected_m[0] > calibrate.limits(self.by_error, self.radius_m[dense.argmax(1)])[0])

    def refused(self, images) -> np.ndarray:
        return np.array([self.refuses(image) for image in images])


def line(name: str, refused: np.ndarray) -> str:
    return f"{name:32s} {len(refused):5d} {100 * refused.mean():10.1f}"


def report(bundle: Bundle, root: Path) -> str:
    lines, every = [f"{'abstained %':32s} {'n':>5s} {'abstained':>10s}"], []
    kinds = {kind.__name__.replace("_", " "): [strangers.draw(kind, 10_000 + i) for i in range(strangers.JUDGED_EACH)]
             for kind in strangers.JUDGED}
    kinds["screenshot"] = [screenshots.draw(i) for i in SCREENSHOTS]
    for name, pictures in kinds.items():
        every.append(bundle.refused(pictures))
        lines.append(line(name, every[-1]))
    lines.append(line("all pictures taken nowhere", np.concatenate(every)))
    for name in ("photos", "landmarks"):
        files = [root / name / row["file"] for row in splits.read_rows(HERE / f"splits/heldout_{name}.csv")]
        lines.append(line(f"held-out {name}", bundle.refused(Image.open(file) for file in files)))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=HERE.parent / "bundles/demo")
    parser.add_argument("--data", type=Path, default=data.DEFAULT_ROOT)
    args = parser.parse_args()
    print(report(Bundle(args.bundle), args.data))


if __name__ == "__main__":
    main()
