#!/usr/bin/env python3
"""Makes the fixtures of enrich/decode and their golden pixels.

    python -m venv v && v/bin/pip install pillow==13.0.0 && v/bin/python make.py

Every picture is synthetic, drawn below. A golden is what Pillow makes of the
fixture: full decode, EXIF orientation, RGB, Image.resize((S, S), BICUBIC,
box=centre square). golden.json lists them with the tolerance that each must
meet. photo.heic is not made here, since Pillow cannot write it:

    vips heifsave photo.png photo.heic --compression hevc --Q 90
"""

import json
import math
import pathlib
import random
import struct
import zlib

from PIL import Image, ImageDraw, ImageOps

HERE = pathlib.Path(__file__).parent
goldens = []


def scene(w, h, seed=1):
    """Sky, ridges, houses, a little noise: gradients, edges and detail."""
    rng = random.Random(seed)
    im = Image.new("RGB", (w, h))
    d = ImageDraw.Draw(im)
    for y in range(h):
        t = y / h
        d.line([(0, y), (w, y)], (int(90 + 120 * t), int(140 + 70 * t), int(235 - 60 * t)))
    for layer in range(3):
        top = h * (0.45 + 0.15 * layer)
        f = rng.uniform(1.5, 4)
        d.polygon(
            [(0, h)]
            + [(x, top + h * 0.07 * math.sin(f * 6.283 * x / w + layer)) for x in range(0, w + 8, 8)]
            + [(w + 8, h)],
            fill=(60 + 30 * layer, 110 - 20 * layer, 50 + 10 * layer),
        )
    for _ in range(60):
        x, y = rng.randrange(w), rng.randrange(h // 2, h)
        s = rng.randrange(2, max(3, w // 12))
        d.rectangle([x, y, x + s, y + s], fill=tuple(rng.randrange(256) for _ in range(3)))
    noise = Image.effect_noise((w, h), 24).convert("L") if seed == 0 else None
    return im if noise is None else Image.blend(im, noise.convert("RGB"), 0.1)


def upright(path):
    im = ImageOps.exif_transpose(Image.open(path))
    if im.mode in ("RGBA", "LA", "P", "PA") and (im.mode != "P" or "transparency" in im.info):
        im = im.convert("RGBA")
        white = Image.new("RGBA", im.size, (255, 255, 255, 255))
        im = Image.alpha_composite(white, im)
    return im.convert("RGB")


def golden(name, size, crop, im=None, **tolerance):
    """Writes the golden of fixture name and lists it."""
    im = im or upright(HERE / name)
    side = crop * min(im.size)
    x, y = (im.width - side) / 2, (im.height - side) / 2
    out = im.resize((size, size), Image.BICUBIC, box=(x, y, x + side, y + side))
    file = f"golden/{name}.{size}-{crop}.png"
    out.save(HERE / file, optimize=True)
    goldens.append({"fixture": name, "size": size, "crop": crop, "golden": file, **tolerance})


def png16(path, im, grey=False):
    """A 16 bit PNG by hand; Pillow has no 16 bit RGB. The low byte is not zero."""
    w, h = im.size
    rows = bytearray()
    for y in range(h):
        rows.append(0)
        for x in range(w):
            for v in (im.getpixel((x, y)),) if grey else im.getpixel((x, y)):
                rows += bytes((v, (x * 7 + y) % 128))
    chunk = lambda t, b: struct.pack(">I", len(b)) + t + b + struct.pack(">I", zlib.crc32(t + b))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, 0 if grey else 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + chunk(b"IEND", b"")
    )


def lossless():
    s = scene(157, 111)
    s.save(HERE / "photo.png", optimize=True)
    golden("photo.png", 48, 0.875, max_diff=1)
    golden("photo.png", 33, 1.0, max_diff=1)
    golden("photo.png", 96, 0.6, max_diff=1)  # upscaled
    small = scene(90, 131, 2)
    small.convert("L").save(HERE / "grey.png", optimize=True)
    golden("grey.png", 40, 0.875, max_diff=1)
    small.quantize(32).save(HERE / "palette.png", optimize=True)
    golden("palette.png", 40, 0.875, max_diff=1)
    alpha = small.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(small.size))
    alpha.save(HERE / "alpha.png", optimize=True)
    golden("alpha.png", 40, 0.875, max_diff=2)  # two ways to round a blend
    small.point(lambda v: 255 * (v > 120)).convert("1").save(HERE / "bilevel.png", optimize=True)
    golden("bilevel.png", 40, 0.875, max_diff=1)
    png16(HERE / "rgb16.png", small)
    golden("rgb16.png", 40, 0.875, im=small, max_diff=1)
    png16(HERE / "grey16.png", small.convert("L"), grey=True)
    golden("grey16.png", 40, 0.875, im=small.convert("L").convert("RGB"), max_diff=1)
    small.save(HERE / "photo.tif", compression="tiff_adobe_deflate")
    golden("photo.tif", 40, 0.875, max_diff=1)
    small.save(HERE / "photo.webp", lossless=True)
    golden("photo.webp", 40, 0.875, max_diff=1)
    frames = [scene(90, 70, i).quantize(32) for i in (3, 4, 5)]
    frames[0].save(HERE / "animated.gif", save_all=True, append_images=frames[1:], duration=80)
    golden("animated.gif", 40, 0.875, max_diff=1)


def lossy():
    big = scene(901, 683, 6)
    big.save(HERE / "photo.jpg", quality=88)
    for size in (224, 96, 48, 24):  # shrink 1, 2, 4, 8 inside the decoder
        golden("photo.jpg", size, 0.875, min_psnr=45)
    big.save(HERE / "progressive.jpg", quality=80, progressive=True)
    golden("progressive.jpg", 96, 0.875, min_psnr=45)
    odd = scene(643, 487, 7)
    odd.save(HERE / "odd444.jpg", quality=90, subsampling=0)
    golden("odd444.jpg", 30, 1.0, min_psnr=45)
    odd.convert("L").save(HERE / "grey.jpg", quality=85)
    golden("grey.jpg", 60, 0.875, min_psnr=45)
    small = scene(120, 90, 8)
    small.convert("CMYK").save(HERE / "cmyk.jpg", quality=90)
    # Pillow's CMYK is arithmetic, libvips' goes through a press profile.
    golden("cmyk.jpg", 40, 0.875, im=small, min_psnr=14)
    small.save(HERE / "photo.avif", quality=90)
    golden("photo.avif", 40, 0.875, im=small, min_psnr=30)
    exif = Image.Exif()
    exif[0x0112] = 6  # Pillow writes it as the container's irot, as phones do
    small.save(HERE / "turned.avif", quality=90, exif=exif)
    golden("turned.avif", 40, 0.875, im=small.transpose(Image.ROTATE_270), min_psnr=30)
    golden("photo.heic", 48, 0.875, im=Image.open(HERE / "photo.png"), min_psnr=30)
    small.save(HERE / "lossy.webp", quality=90)
    golden("lossy.webp", 40, 0.875, im=small, min_psnr=30)


def oriented():
    """The same upright scene stored in each of the eight ways."""
    turn = {2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM,
            5: Image.TRANSPOSE, 6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}
    s = scene(101, 73, 9)
    for o in range(1, 9):
        stored = s.transpose(turn[o]) if o in turn else s
        exif = Image.Exif()
        exif[0x0112] = o
        name = f"orientation{o}.png"
        stored.save(HERE / name, exif=exif, optimize=True)
        golden(name, 32, 0.875, max_diff=1)


if __name__ == "__main__":
    lossless()
    lossy()
    oriented()
    (HERE / "golden.json").write_text(json.dumps(goldens, indent=1) + "\n")
