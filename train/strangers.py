"""Pictures that were taken nowhere and judge whether a bundle refuses such: `make nowhere`.

No training sees them, nor what draws them: printed pages, QR codes, line and pie charts, gradients, fabric, wood grain, static,
handwriting, close-ups of round things. What teaches is drawn by others (textures.py, screenshots.py); if the two families were
one, the share that a bundle refuses would say little.
"""

import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from textures import draw, hue, noise


def page(rng: random.Random, w: int, h: int) -> Image.Image:
    """A printed page in two columns with a heading, a little askew."""
    image = Image.new("RGB", (w, h), hue(rng, 225, 255))
    canvas, font = ImageDraw.Draw(image), ImageFont.load_default(size=rng.choice([7, 8, 10]))
    letters = "abcdefghijklmnopqrstuvwxyz    "
    canvas.text((w // 10, h // 20), "".join(rng.choice(letters) for _ in range(18)).upper(), fill=(20, 20, 20), font=font)
    for left in (w // 10, w * 11 // 20):
        for y in range(h // 7, h * 9 // 10, 10):
            canvas.text((left, y), "".join(rng.choice(letters) for _ in range(w // 14)), fill=(40, 40, 40), font=font)
    return image.rotate(rng.uniform(-3, 3), fillcolor=hue(rng, 90, 200))


def qr_code(rng: random.Random, w: int, h: int) -> Image.Image:
    """Modules and three finder squares; it need not be readable to look like one."""
    n = rng.choice([21, 25, 33])
    modules = np.array([rng.randrange(2) for _ in range(n * n)], np.uint8).reshape(n, n)
    for y, x in ((0, 0), (0, n - 7), (n - 7, 0)):
        modules[max(0, y - 1) : y + 8, max(0, x - 1) : x + 8] = 0
        modules[y : y + 7, x : x + 7] = 1
        modules[y + 1 : y + 6, x + 1 : x + 6] = 0
        modules[y + 2 : y + 5, x + 2 : x + 5] = 1
    side = int(min(w, h) * rng.uniform(0.6, 0.9))
    code = Image.fromarray(((1 - modules) * 255).astype(np.uint8)).resize((side, side), Image.NEAREST)
    image = Image.new("RGB", (w, h), hue(rng, 200, 255))
    image.paste(code, ((w - side) // 2, (h - side) // 2))
    return image


def line_chart(rng: random.Random, w: int, h: int) -> Image.Image:
    image = Image.new("RGB", (w, h), "white")
    canvas = ImageDraw.Draw(image)
    for y in range(h // 10, h, h // 8):
        canvas.line((w // 10, y, w * 9 // 10, y), fill=(215, 215, 215))
    for _ in range(rng.randint(1, 4)):
        y, points = h * rng.uniform(0.2, 0.8), []
        for x in range(w // 10, w * 9 // 10, 8):
            y = min(max(y + rng.gauss(0, h / 25), h / 10), h * 0.9)
            points.append((x, y))
        canvas.line(points, fill=hue(rng, 0, 200), width=2)
    return image


def pie_chart(rng: random.Random, w: int, h: int) -> Image.Image:
    image = Image.new("RGB", (w, h), hue(rng, 235, 255))
    canvas, r, start = ImageDraw.Draw(image), min(w, h) * 0.4, 0.0
    while start < 360:
        end = min(360.0, start + rng.uniform(15, 120))
        canvas.pieslice((w / 2 - r, h / 2 - r, w / 2 + r, h / 2 + r), start, end, fill=hue(rng, 40, 230))
        start = end
    return image


def gradient(rng: random.Random, w: int, h: int) -> Image.Image:
    angle, a, b = rng.uniform(0, 2 * math.pi), np.array(hue(rng)), np.array(hue(rng))
    y, x = np.mgrid[0:h, 0:w]
    along = x * math.cos(angle) + y * math.sin(angle)
    share = ((along - along.min()) / np.ptp(along))[..., None]
    return Image.fromarray((a + (b - a) * share).astype(np.uint8))


def fabric(rng: random.Random, w: int, h: int) -> Image.Image:
    y, x = np.mgrid[0:h, 0:w]
    warp, weft = rng.uniform(2, 6), rng.uniform(2, 6)
    light = 0.6 + 0.2 * np.sin(2 * np.pi * x / warp) * np.sin(2 * np.pi * y / weft)
    light += np.random.default_rng(rng.randrange(2**32)).normal(0, 0.04, light.shape)
    return Image.fromarray((np.clip(light, 0, 1)[..., None] * np.array(hue(rng, 60, 255))).astype(np.uint8))


def wood(rng: random.Random, w: int, h: int) -> Image.Image:
    y, x = np.mgrid[0:h, 0:w] / h
    waves = [(rng.uniform(1, 4), rng.uniform(0, 6), rng.uniform(0.02, 0.1)) for _ in range(4)]
    bent = x + sum(depth * np.sin(2 * np.pi * f * y * 0.5 + phase) for f, phase, depth in waves)
    ring = 0.7 + 0.2 * np.sin(2 * np.pi * bent * rng.uniform(5, 20))
    return Image.fromarray((np.clip(ring, 0, 1)[..., None] * np.array([170, 115, 70])).astype(np.uint8))


def static(rng: random.Random, w: int, h: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(rng.randrange(2**32)).integers(0, 256, (h, w, 3), np.uint8))


def handwriting(rng: random.Random, w: int, h: int) -> Image.Image:
    image = Image.new("RGB", (w, h), (250, 248, 235))
    canvas = ImageDraw.Draw(image)
    for y in range(24, h - 10, 20):
        canvas.line((0, y + 6, w, y + 6), fill=(190, 205, 230))
        points = [(x, y + rng.uniform(-6, 4)) for x in range(12, int(w * rng.uniform(0.5, 0.95)), 4)]
        canvas.line(points, fill=(30, 35, 110), width=1, joint="curve")
    return image


def sphere(rng: random.Random, w: int, h: int) -> Image.Image:
    """A close-up of a ball, a fruit or an eye: one round thing that fills the picture, lit from a side, out of focus behind."""
    y, x = np.mgrid[0:h, 0:w]
    r = min(w, h) * rng.uniform(0.35, 0.6)
    u, v = (x - w / 2) / r, (y - h / 2) / r
    inside = u**2 + v**2 < 1
    light = np.sqrt(np.clip(1 - u**2 - v**2, 0, 1)) * 0.7 + 0.25 * np.clip(1 - (u - 0.4) ** 2 - (v + 0.4) ** 2, 0, 1)
    behind = np.asarray(noise(rng, w, h, 3))
    return Image.fromarray(np.where(inside[..., None], light[..., None] * np.array(hue(rng, 80, 255)), behind).astype(np.uint8))


JUDGED = (page, qr_code, line_chart, pie_chart, gradient, fabric, wood, static, handwriting, sphere)
JUDGED_EACH = 10


def judged() -> list[tuple[str, Image.Image]]:
    """(name, picture) of the pictures that judge a finished bundle: JUDGED_EACH of every kind, other seeds than any taught."""
    return [(f"{kind.__name__}-{i}", draw(kind, 10_000 + i)) for kind in JUDGED for i in range(JUDGED_EACH)]
