"""Pictures that teach a head to be unsure: drawn textures and patterns that were taken nowhere, beside the screenshots.

Smooth noise, stripes, spots, shapes, scribbles, grids, bars, ripples, grain. What judges a finished bundle is drawn by others
(strangers.py). Everything is drawn from a seed; no picture of anybody's is used.
"""

import math
import random
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import screenshots

SIZES = ((234, 176), (176, 234), (176, 176), (264, 176), (176, 313))


def hue(rng: random.Random, low: int = 0, high: int = 255) -> tuple[int, int, int]:
    return tuple(rng.randint(low, high) for _ in range(3))


def noise(rng: random.Random, w: int, h: int, cells: int) -> Image.Image:
    """Random colours on a grid of about `cells` a side, enlarged smoothly."""
    grid = np.array([rng.randrange(256) for _ in range(cells * cells * 3)], np.uint8).reshape(cells, cells, 3)
    return Image.fromarray(grid).resize((w, h), Image.BICUBIC)


def clouds(rng: random.Random, w: int, h: int) -> Image.Image:
    coarse = noise(rng, w, h, rng.randint(2, 6))
    return Image.blend(coarse, noise(rng, w, h, rng.randint(8, 30)), rng.uniform(0.1, 0.5))


def stripes(rng: random.Random, w: int, h: int) -> Image.Image:
    image = Image.new("RGB", (2 * w, 2 * h), hue(rng))
    canvas, step, shade = ImageDraw.Draw(image), rng.randint(6, 40), hue(rng)
    for x in range(0, 2 * w, step):
        canvas.rectangle((x, 0, x + step * rng.uniform(0.3, 0.7), 2 * h), fill=shade)
    return image.rotate(rng.uniform(0, 180)).crop((w // 2, h // 2, w // 2 + w, h // 2 + h))


def spots(rng: random.Random, w: int, h: int) -> Image.Image:
    image = Image.new("RGB", (w, h), hue(rng))
    canvas, shades = ImageDraw.Draw(image), [hue(rng) for _ in range(rng.randint(1, 4))]
    for _ in range(rng.randint(10, 200)):
        x, y, r = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(1, 20)
        canvas.ellipse((x - r, y - r, x + r, y + r), fill=rng.choice(shades))
    return image.filter(ImageFilter.GaussianBlur(rng.choice([0, 0, 1, 3])))


def shapes(rng: random.Random, w: int, h: int) -> Image.Image:
    image = Image.new("RGB", (w, h), hue(rng))
    canvas = ImageDraw.Draw(image)
    for _ in range(rng.randint(3, 12)):
        points = [(rng.uniform(-w / 4, w * 1.25), rng.uniform(-h / 4, h * 1.25)) for _ in range(rng.randint(3, 6))]
        canvas.polygon(points, fill=hue(rng))
    return image


def plain(rng: random.Random, w: int, h: int) -> Image.Image:
    grain = noise(rng, w, h, 88)
    return Image.blend(Image.new("RGB", (w, h), hue(rng)), grain, rng.uniform(0, 0.15))


def scribble(rng: random.Random, w: int, h: int) -> Image.Image:
    """Loose curves on paper of any colour, as of a pen that is tried."""
    image = Image.new("RGB", (w, h), hue(rng, 200, 255) if rng.random() < 0.7 else hue(rng))
    canvas = ImageDraw.Draw(image)
    for _ in range(rng.randint(1, 25)):
        x, y, turn, points = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(0, 6), []
        for _ in range(rng.randint(5, 60)):
            turn += rng.gauss(0, 0.6)
            x, y = x + 6 * math.cos(turn), y + 6 * math.sin(turn)
            points.append((x, y))
        canvas.line(points, fill=hue(rng, 0, 140), width=rng.choice([1, 1, 2, 4]))
    return image


def grid(rng: random.Random, w: int, h: int) -> Image.Image:
    """Squared or ruled paper, tables, tiles: thin lines at even distances, some squares filled."""
    image = Image.new("RGB", (w, h), hue(rng, 190, 255))
    canvas, across, down, ink = ImageDraw.Draw(image), rng.randint(8, 50), rng.randint(8, 50), hue(rng, 0, 200)
    for x in range(0, w, across):
        for y in range(0, h, down):
            if rng.random() < 0.15:
                canvas.rectangle((x, y, x + across, y + down), fill=hue(rng))
    for y in range(0, h, down):
        canvas.line((0, y, w, y), fill=ink)
    for x in range(0, w, across) if rng.random() < 0.7 else ():
        canvas.line((x, 0, x, h), fill=ink)
    return image


def bars(rng: random.Random, w: int, h: int) -> Image.Image:
    """Upright bars of chance widths, black on light: bar codes and their like."""
    image = Image.new("RGB", (w, h), hue(rng, 200, 255))
    canvas, x, top = ImageDraw.Draw(image), w * rng.uniform(0.02, 0.2), h * rng.uniform(0, 0.3)
    while x < w * 0.9:
        wide = rng.choice([1, 1, 2, 3, 5])
        canvas.rectangle((x, top, x + wide, h - top), fill=(20, 20, 20))
        x += wide + rng.choice([1, 2, 3, 4])
    return image.rotate(rng.choice([0, 0, 90]), expand=False, fillcolor="white")


def ripples(rng: random.Random, w: int, h: int) -> Image.Image:
    """Waves that meet, in two colours: cloth, water in a basin, patterns on a wall."""
    y, x = np.mgrid[0:h, 0:w]
    light = np.zeros((h, w))
    for _ in range(rng.randint(2, 5)):
        a, f = rng.uniform(0, math.pi), 10 ** rng.uniform(-2.2, -0.7)
        light += np.sin(2 * math.pi * f * (x * math.cos(a) + y * math.sin(a)) + rng.uniform(0, 6))
    share = ((light - light.min()) / np.ptp(light))[..., None]
    if rng.random() < 0.4:
        share = (share > 0.5).astype(float)
    return Image.fromarray((np.array(hue(rng)) * share + np.array(hue(rng)) * (1 - share)).astype(np.uint8))


def lumps(rng: random.Random, w: int, h: int) -> Image.Image:
    """Soft shaded lumps: things too near to the lens to be anything."""
    y, x = np.mgrid[0:h, 0:w]
    light = np.zeros((h, w))
    for _ in range(rng.randint(1, 6)):
        r = rng.uniform(0.15, 0.7) * min(w, h)
        light = np.maximum(light, np.exp(-(((x - rng.uniform(0, w)) / r) ** 2 + ((y - rng.uniform(0, h)) / r) ** 2)))
    tint = np.array(hue(rng, 60, 255)) * light[..., None] + np.array(hue(rng, 0, 160)) * (1 - light[..., None])
    grain = np.random.default_rng(rng.randrange(2**32)).normal(0, rng.uniform(0, 12), (h, w, 1))
    return Image.fromarray(np.clip(tint + grain, 0, 255).astype(np.uint8))


def speckle(rng: random.Random, w: int, h: int) -> Image.Image:
    """Grain of any size over any colour: sand, asphalt, carpet."""
    generator = np.random.default_rng(rng.randrange(2**32))
    coarse = generator.normal(0, rng.uniform(10, 70), (h // rng.choice([1, 1, 2, 3]) + 1, w // rng.choice([1, 1, 2, 3]) + 1))
    grain = np.asarray(Image.fromarray(coarse.astype(np.float32)).resize((w, h), Image.BILINEAR))
    return Image.fromarray(np.clip(np.array(hue(rng, 30, 225)) + grain[..., None], 0, 255).astype(np.uint8))


TAUGHT = (clouds, stripes, spots, shapes, plain, scribble, grid, bars, ripples, lumps, speckle)


def draw(kind, seed: int) -> Image.Image:
    """One picture of a kind; the same seed gives the same picture."""
    rng = random.Random(f"{kind.__name__} {seed}")
    return kind(rng, *rng.choice(SIZES))


def assorted(count: int) -> Iterator[tuple[int, Image.Image]]:
    """(number of its kind, picture): so many pictures taken nowhere, of each kind in turn, screenshots among them."""
    kinds = [*TAUGHT, None]
    for i in range(count):
        kind = i % len(kinds)
        yield kind, draw(kinds[kind], i) if kinds[kind] else screenshots.draw(1000 + i)
