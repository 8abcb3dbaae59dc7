"""The square of a photo that the network sees, and random other views of it."""

import io
import random

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

CROP = 1.0
RESIZE = "centre-crop bicubic antialiased"  # the manifest's name of what `pixels` does


def upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image).convert("RGB")


def pixels(image: Image.Image, crop: float, size: int) -> np.ndarray:
    """The centre square with side crop × the shorter side, resized to size × size: the geometry the worker uses."""
    image = upright(image)
    side = crop * min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return np.asarray(image.resize((size, size), Image.BICUBIC, box=(left, top, left + side, top + side)))


def augmented(image: Image.Image, rng: random.Random, size: int) -> np.ndarray:
    """A random square of 50–100 % of the shorter side, mirrored half of the time, in other light and other JPEG quality."""
    side = rng.uniform(0.5, 1.0) * min(image.size)
    left, top = rng.uniform(0, image.width - side), rng.uniform(0, image.height - side)
    square = image.resize((size, size), Image.BICUBIC, box=(left, top, left + side, top + side))
    if rng.random() < 0.5:
        square = ImageOps.mirror(square)
    if rng.random() < 0.8:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            square = enhance(square).enhance(rng.uniform(0.65, 1.4))
    if rng.random() < 0.25:
        squeezed = io.BytesIO()
        square.save(squeezed, "JPEG", quality=rng.randint(30, 80))
        square = Image.open(squeezed).convert("RGB")
    return np.asarray(square)


def views(image: Image.Image, seed: str, size: int, extra: int) -> np.ndarray:
    """uint8 [1+extra, S, S, 3]: the centre view, then the random ones of this seed."""
    rng, whole = random.Random(seed), upright(image)
    return np.stack([pixels(whole, CROP, size)] + [augmented(whole, rng, size) for _ in range(extra)])
