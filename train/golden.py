"""golden/: three pictures with the answers of this machine, which every other machine must reproduce."""

import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

import calibrate
import graphs
import square
import strangers

PHOTOS = ("rome-2024/04-amphitheatre.jpg", "rome-2024/02-fountain.jpg", "krakow-2019/02-castle.jpg")
TOLERANCE = {"prob": 0.02, "embedding_cosine": 0.999}


def demo_pictures(demo: Path) -> list[tuple[str, Path]]:
    return [(Path(photo).name, demo / photo) for photo in PHOTOS]


def drawn_pictures() -> list[tuple[str, Image.Image]]:
    """For bundles of somebody's own photos, of which none must end up in a bundle that is handed on."""
    return [(f"{kind.__name__}.jpg", strangers.draw(kind, 1)) for kind in (strangers.wood, strangers.sphere, strangers.page)]


def write(bundle: Path, pictures: list[tuple[str, Path | Image.Image]], size: int, cells) -> None:
    """Copies or saves the pictures and writes golden.json from the finished ONNX files."""
    folder = bundle / "golden"
    folder.mkdir(exist_ok=True)
    names = [name for name, _ in pictures]
    for name, picture in pictures:
        if isinstance(picture, Path):
            shutil.copyfile(picture, folder / name)
        else:
            picture.save(folder / name, "JPEG", quality=92)
    images = np.stack([square.pixels(Image.open(folder / name), square.CROP, size) for name in names])
    embedding, prob, cell = graphs.session(bundle / "cnn.onnx").run(["embedding", "prob", "cell"], {"pixels": images})
    dense = graphs.spread(prob, cell, len(cells))
    expected = calibrate.expected_error(dense, cells)
    album = graphs.session(bundle / "album.onnx")

    def read(sequence: np.ndarray) -> list[dict]:
        p, c = album.run(["prob", "cell"], {"embeddings": sequence[None]})
        return [{"cell": int(c[0, t, 0]), "prob": round(float(p[0, t, 0]), 6)} for t in range(len(sequence))]

    photos = [
        entry(name, cell[i, 0], prob[i, 0], embedding[i], expected_error_m=round(1000 * float(expected[i]), 1))
        for i, name in enumerate(names)
    ]
    album_answers = {
        "photos": names, "lstm": read(embedding),
        "lstm_repeat": read(np.concatenate([embedding, embedding]))[len(names):],
    }
    save(folder, photos, album_answers)


def entry(name: str, cell: int, prob: float, embedding: np.ndarray, **more: float) -> dict:
    """What golden.json says of one picture."""
    return {"file": name, "top_cell": int(cell), "top_prob": round(float(prob), 6), **more,
            "embedding_head": [round(float(v), 6) for v in embedding[:16]]}


def save(folder: Path, photos: list[dict], album: dict) -> None:
    text = json.dumps({"tolerance": TOLERANCE, "photos": photos, "album": album}, indent=1)
    (folder / "golden.json").write_text(text + "\n")
