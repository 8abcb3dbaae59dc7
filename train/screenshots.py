"""Draws pictures that are not photographs: app screens, chats, documents, charts.

They teach the head to be unsure about them (outlier exposure), because photo libraries are full of screenshots. Everything
is drawn here from a seed; no picture of anybody's screen is used.
"""

import random

from PIL import Image, ImageDraw, ImageFont

WORDS = (
    "meeting tomorrow settings battery receipt total notes draft inbox agenda update chart budget review call photo "
    "battery network search message reply invoice delivery order account password weather minutes volume report today"
).split()


def phrase(rng: random.Random, low: int, high: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high))).capitalize()


def colour(rng: random.Random, dark: bool) -> tuple[int, int, int]:
    low, high = (0, 60) if dark else (215, 255)
    return tuple(rng.randint(low, high) for _ in range(3))


def accent(rng: random.Random) -> tuple[int, int, int]:
    return tuple(rng.randint(30, 230) for _ in range(3))


def chat(draw: ImageDraw.ImageDraw, rng: random.Random, w: int, h: int, ink, font) -> None:
    y, mine = h // 8, accent(rng)
    while y < h - h // 8:
        right, tall = rng.random() < 0.5, rng.randint(h // 20, h // 9)
        wide = rng.randint(w // 3, w * 3 // 4)
        x = w - wide - w // 20 if right else w // 20
        draw.rounded_rectangle((x, y, x + wide, y + tall), radius=w // 30, fill=mine if right else (128, 128, 136))
        draw.text((x + w // 40, y + tall // 4), phrase(rng, 2, 5), fill="white", font=font)
        y += tall + h // 50


def menu(draw: ImageDraw.ImageDraw, rng: random.Random, w: int, h: int, ink, font) -> None:
    step, y = rng.randint(h // 16, h // 9), h // 9
    while y < h - step:
        draw.ellipse((w // 20, y + step // 5, w // 20 + step // 2, y + step * 7 // 10), fill=accent(rng))
        draw.text((w // 20 + step, y + step // 4), phrase(rng, 1, 3), fill=ink, font=font)
        draw.line((w // 20 + step, y + step, w, y + step), fill=(150, 150, 150))
        y += step


def document(draw: ImageDraw.ImageDraw, rng: random.Random, w: int, h: int, ink, font) -> None:
    y, step = h // 12, rng.randint(10, 18)
    while y < h - h // 12:
        if rng.random() > 0.12:
            draw.text((w // 12, y), phrase(rng, 4, 9)[: max(8, w // 8)], fill=ink, font=font)
        y += step


def chart(draw: ImageDraw.ImageDraw, rng: random.Random, w: int, h: int, ink, font) -> None:
    draw.text((w // 8, h // 20), phrase(rng, 2, 4), fill=ink, font=font)
    bars, base = rng.randint(4, 12), h * 7 // 8
    wide, shade = w * 3 // 4 // bars, accent(rng)
    for i in range(bars):
        x = w // 8 + i * wide
        draw.rectangle((x, base - rng.randint(h // 20, h * 2 // 3), x + wide * 3 // 4, base), fill=shade)
    draw.line((w // 8, base, w * 7 // 8, base), fill=ink, width=2)


def draw(seed: int, size: tuple[int, int] | None = None) -> Image.Image:
    """One drawn picture; the same seed gives the same picture."""
    rng = random.Random(f"screenshot {seed}")
    w, h = size or rng.choice([(180, 320), (200, 360), (320, 180), (300, 220), (240, 240)])
    dark = rng.random() < 0.4
    ink = (235, 235, 235) if dark else (25, 25, 25)
    image = Image.new("RGB", (w, h), colour(rng, dark))
    canvas = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=rng.choice([9, 11, 13]) * max(1, w // 240))
    layout = chat if size else rng.choice([chat, menu, document, chart])
    layout(canvas, rng, w, h, ink, font)
    canvas.rectangle((0, 0, w, h // 14), fill=accent(rng))
    canvas.text((w // 30, h // 50), f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}", fill="white", font=font)
    canvas.text((w * 4 // 5, h // 50), f"{rng.randint(5, 99)} %", fill="white", font=font)
    return image
