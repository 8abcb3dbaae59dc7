"""golden/: three demo photos with the answers of this machine, which every other machine must reproduce."""

import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

import export
import features

PHOTOS = ("rome-2024/04-amphitheatre.jpg", "rome-2024/02-fountain.jpg", "krakow-2019/02-castle.jpg")
TOLERANCE = {"prob": 0.02, "embedding_cosine": 0.999}


def write(bundle: Path, demo: Path, crop: float) -> None:
    """Copies the photos and writes golden.json from the finished ONNX files."""
    folder = bundle / "golden"
    folder.mkdir(exist_ok=True)
    names = [Path(photo).name for photo in PHOTOS]
    for photo, name in zip(PHOTOS, names, strict=True):
        shutil.copyfile(demo / photo, folder / name)
    images = np.stack([features.pixels(Image.open(folder / name), crop) for name in names])
    embedding, prob, cell = export.session(bundle / "cnn.onnx").run(["embedding", "prob", "cell"], {"pixels": images})
    album = export.session(bundle / "album.onnx")

    def read(sequence: np.ndarray) -> list[dict]:
        p, c = album.run(["prob", "cell"], {"embeddings": sequence[None]})
        return [{"cell": int(c[0, t, 0]), "prob": round(float(p[0, t, 0]), 6)} for t in range(len(sequence))]

    photos = [
        {"file": name, "top_cell": int(cell[i, 0]), "top_prob": round(float(prob[i, 0]), 6),
         "embedding_head": [round(float(v), 6) for v in embedding[i, :16]]}
        for i, name in enumerate(names)
    ]
    album_answers = {
        "photos": names, "lstm": read(embedding),
        "lstm_repeat": read(np.concatenate([embedding, embedding]))[len(names):],
    }
    text = json.dumps({"tolerance": TOLERANCE, "photos": photos, "album": album_answers}, indent=1)
    (folder / "golden.json").write_text(text + "\n")
