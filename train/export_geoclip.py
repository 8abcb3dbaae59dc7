"""GeoCLIP as a bundle: `python export_geoclip.py --tower DIR --out DIR`.

GeoCLIP (Vivanco Cepeda, Nayak, Shah, NeurIPS 2023, arXiv 2309.16020) compares the embedding of a photo with those of places.
The package `geoclip` brings the location encoder, the layers behind the image tower, the logit scale and 100,000 places; the
CLIP ViT-L/14 tower is yours: a folder in the format of `transformers`. Nothing is downloaded.

The places are encoded once, here. In the graph remain tower, layers, one product with the places and the choice of the best.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from geoclip import LocationEncoder
from geoclip.model.misc import file_dir, load_gps_data
from torch import nn
from torch.nn import functional as F
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

import accelerator
import export
import foreign
import gallery
import graphs

WEIGHTS = Path(file_dir) / "weights"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of CLIP's training
SIZE, PROJECTION, WIDTH, TOP_K = 224, 768, 512, 256
# The tower has a value named embedding of its own.
OUTPUTS = {"input": "pixels", "embedding": "photo_embedding", "prob": "prob", "cell": "row"}
LEVEL_CAP = 12  # cells of about 2 km; the places know no better
SHAPES = {  # of random towers
    "small": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "patch_size": 32},
    "full": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "patch_size": 14},
}


def places() -> torch.Tensor:
    """float32 [100000, 2]: latitude and longitude in degrees."""
    return load_gps_data(str(Path(file_dir) / "gps_gallery" / "coordinates_100K.csv"))


def encoded(at: torch.Tensor, batch: int = 5000) -> torch.Tensor:
    """float32 [n, WIDTH] of length 1, by the real location encoder."""
    encoder = LocationEncoder().eval()
    with torch.no_grad():
        return F.normalize(torch.cat([encoder(part) for part in at.split(batch)]), dim=1)


def weights(name: str):
    return torch.load(WEIGHTS / f"{name}_weights.pth", map_location="cpu", weights_only=True)


def image_layers() -> nn.Module:
    """The layers behind the tower, as in geoclip.ImageEncoder, with their real weights."""
    layers = nn.Sequential(nn.Linear(PROJECTION, 768), nn.ReLU(), nn.Linear(768, WIDTH))
    layers.load_state_dict(weights("image_encoder_mlp"))
    return layers.eval()


def load_tower(folder: Path) -> nn.Module:
    if not (folder / "config.json").is_file():
        raise SystemExit(f"--tower {folder}: no config.json there; want a folder with CLIP ViT-L/14 in the format of transformers")
    tower = CLIPVisionModelWithProjection.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    got, want = tower.config, SHAPES["full"]
    different = {k: getattr(got, k) for k in want if getattr(got, k) != want[k]}
    if different or got.projection_dim != PROJECTION or got.image_size != SIZE:
        raise SystemExit(f"--tower {folder}: {different or 'another size'}; GeoCLIP's layers were trained behind ViT-L/14 at {SIZE} px only")
    return tower


def random_tower(shape: str) -> nn.Module:
    """A tower of chance weights, for tests: the same ones every time."""
    torch.manual_seed(7)
    return CLIPVisionModelWithProjection(CLIPVisionConfig(**SHAPES[shape], image_size=SIZE, projection_dim=PROJECTION)).eval()


class GeoClip(nn.Module):
    """uint8 [n, 224, 224, 3] → embedding of length 1, the k best places' probabilities, their rows."""

    def __init__(self, tower: nn.Module, layers: nn.Module, location: torch.Tensor, scale: float, k: int = TOP_K) -> None:
        super().__init__()
        self.tower, self.layers, self.scale, self.k = tower, layers, scale, k
        self.register_buffer("mean", 255 * torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(STD).view(3, 1, 1))
        self.location = nn.Parameter(location.T.contiguous(), requires_grad=False)

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        x = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std
        seen = self.tower(pixel_values=x.to(self.tower.dtype)).image_embeds
        return F.normalize(self.layers(seen.float()), dim=1)

    def forward(self, pixels: torch.Tensor):
        embedding = self.embed(pixels)
        prob, row = torch.topk((self.scale * (embedding @ self.location)).softmax(-1), self.k)
        return embedding, prob, row


def logit_scale() -> float:
    return float(weights("logit_scale").exp())


def look(model: GeoClip, squares: Iterator[np.ndarray], batch: int = 8) -> np.ndarray:
    """float32 [squares, WIDTH]"""
    rows = []
    for some in accelerator.together(squares, batch):
        with torch.no_grad():
            rows.append(model.embed(torch.from_numpy(np.concatenate(some))).numpy())
    return np.concatenate(rows)


def calibrated(model: GeoClip, cells: gallery.Cells, cell_of: np.ndarray, photos: foreign.Photos) -> tuple[float, dict]:
    """The temperature that suits the photos, and what the answers at that temperature are worth."""
    cosines = look(model, foreign.squares(photos, 1.0, SIZE)) @ model.location.numpy()
    every = np.arange(len(cell_of))

    def said(t: float, k: int) -> np.ndarray:
        """[photos, cells] of the k best places at temperature t."""
        logits = torch.from_numpy(cosines) * (model.scale / t)
        prob, row = torch.topk(logits.softmax(-1), k) if k < len(every) else (logits.softmax(-1), torch.from_numpy(every).expand(len(logits), -1))
        return gallery.fold(prob.numpy(), row.numpy(), cell_of, len(cells))

    t = foreign.temperature(lambda t: said(t, len(every))[:len(photos.path)], cells.of(photos.lat, photos.lon))
    return t, foreign.measured(said(t, model.k), cells, photos, t)


def write(args: argparse.Namespace, out: Path) -> None:
    photos = foreign.read_photos(args.calibrate, args.photos) if args.calibrate else None
    tower = random_tower(args.random_tower) if args.random_tower else load_tower(args.tower)
    at = places()
    lat, lon = (at[:, i].double().numpy() for i in (0, 1))
    gallery.write(out / "gallery.parquet", lat, lon)
    gallery.build_cells(args.planetag, out / "cells.parquet", lat, lon, args.max_places, LEVEL_CAP)
    cells = gallery.Cells(out / "cells.parquet")
    cell_of = cells.of(lat, lon)
    model = export.rounded(GeoClip(tower, image_layers(), encoded(at), logit_scale()).eval())
    t, calibration = 1.0, foreign.unmeasured()
    if photos:
        t, calibration = calibrated(model, cells, cell_of, photos)
        model.scale /= t
    measured = foreign.rests_on(photos, calibration)
    if args.compute == "fp16":
        model.tower.half()  # only now: a CPU measures in float32 many times faster
    export.to_onnx(model, torch.zeros((2, SIZE, SIZE, 3), dtype=torch.uint8), out / "cnn.onnx",
                   (OUTPUTS["input"], list(OUTPUTS.values())[1:]), {0: "n"}, {"role": "cnn", "cells": len(cell_of), "schema": 1})
    kind = f"chance weights of the {args.random_tower} shape: it knows nothing" if args.random_tower else "CLIP ViT-L/14"
    about = foreign.Foreign(args.name, args.version, args.licence, f"GeoCLIP; image tower: {kind}", SIZE, 1.0, WIDTH, TOP_K,
                            len(cells), LEVEL_CAP, len(cell_of), OUTPUTS)
    if args.compute == "fp16":
        about.buckets = tuple(graphs.GPU_BUCKETS)
    foreign.write_golden(out, about, lambda prob, row: gallery.fold(prob, row, cell_of, len(cells)))
    foreign.write_card(out, "card_geoclip.md.in", {
        "tower": kind, "cells": len(cells), "places": len(cell_of), "measured": measured, "licence": args.licence, "level_cap": LEVEL_CAP,
        "top_k": TOP_K, "scale": f"{logit_scale():.2f}",
    })
    foreign.write_manifest(out, about, calibration)
    print(f"{args.out}: {len(cell_of)} places in {len(cells)} cells, calibrated {measured}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--tower", type=Path, help="folder with CLIP ViT-L/14 in the format of transformers")
    which.add_argument("--random-tower", choices=sorted(SHAPES), help="chance weights instead, for tests")
    foreign.options(parser)
    parser.add_argument("--compute", choices=["fp32", "fp16"], default="fp32", help="in what the tower computes; fp16 is for GPUs")
    parser.add_argument("--max-places", type=int, default=20, help="divide a cell with more places of the gallery")
    parser.add_argument("--licence", default="MIT", help="SPDX expression of the whole: of geoclip and of your tower")
    parser.add_argument("--name", default="geoclip")
    parser.add_argument("--version", default="1.3.0")
    args = foreign.checked(parser)
    torch.set_num_threads(1)
    try:
        with foreign.making(args.out) as part:
            write(args, part)
    except (ValueError, OSError, RuntimeError) as err:
        sys.exit(str(err))


if __name__ == "__main__":
    main()
