"""The files of a bundle that has learned an archive, for its owner alone."""

import json
from pathlib import Path

import numpy as np

import archive
import cells as cell_module
import foreign
import golden
import graphs
import learned
import teach
from foreign import making

__all__ = ["making", "write", "finish"]

DIARY = "diary.parquet"


def about(args, base: learned.Base, model: learned.Learned) -> foreign.Foreign:
    manifest, parts = base.manifest, model.division
    return foreign.Foreign(
        args.name, args.version, args.licence, f"{manifest['name']}@{manifest['version']} and what an archive of {len(model.bank.cell)} photos taught",
        manifest["input"]["size"], manifest["input"]["crop"], manifest["cnn"]["width"], teach.top_k(base, parts), len(parts.cells),
        manifest["precision_cap_level"], 0, base.names,
    )


def write(args, base: learned.Base, model: learned.Learned, modes: teach.Modes, photos, out: Path) -> None:
    """Everything; the card has no figures yet."""
    out.mkdir(parents=True, exist_ok=True)
    graph = learned.graph(base, model, teach.top_k(base, model.division))
    (out / "cnn.onnx").write_bytes(graph.SerializeToString(deterministic=True))
    parity(base, model, photos.x[:16, 0], out / "cnn.onnx")
    cell_module.write(out / "cells.parquet", model.division.cells, places(base, model, photos))
    if modes.diary:
        modes.diary.write(out / DIARY)
    foreign.write_golden(out, about(args, base, model), lambda prob, cell: graphs.spread(prob, cell, len(model.division.cells)),
                         golden.drawn_pictures())
    (out / "CARD.md").write_text("not filled in yet\n")
    for name in ("NOTICE", "LICENSE"):
        if (base.folder / name).exists():
            (out / name).write_bytes((base.folder / name).read_bytes())
    foreign.write_manifest(out, about(args, base, model), modes.tables, albums(modes))


def albums(modes: teach.Modes) -> dict:
    """What the manifest says of albums beside their modes."""
    return ({"hmm": modes.hmm} if modes.hmm else {}) | ({"diary": DIARY} if modes.diary else {})


def parity(base: learned.Base, model: learned.Learned, x: np.ndarray, path: Path, limit: float = 2e-3) -> None:
    """The graph behind the embedding answers as the arrays do; raises when it does not."""
    import onnx

    names = base.names
    session = graphs.head_session(onnx.load(path), names["embedding"], [names["prob"], names["cell"]], x.shape[1])
    theirs = session.run([names["prob"], names["cell"]], {names["embedding"]: x})
    ours = model.prob(x, base.prob(x))
    off = float(np.abs(np.take_along_axis(ours, theirs[1], 1) - theirs[0]).max())
    if off > limit:
        raise RuntimeError(f"{path}: a probability differs by {off:.4f} from what was learned, at most {limit} is rounding")


def places(base: learned.Base, model: learned.Learned, photos) -> list[list[dict]]:
    """Country and region of each cell: of the archive's photos inside, else those of the base's cell it is a piece of."""
    import reverse_geocoder  # noqa: F401  cells.places needs it; a clear error here

    parts = model.division
    named = cell_module.places([At(a, o) for a, o in zip(photos.lat, photos.lon, strict=True)], parts.label, len(parts.cells))
    for b, u, share in parts.base:
        if not named[u] and share > 0.5:
            named[u] = json.loads(base.places[b] or "[]")
    return named


class At:
    """A place, as cells.places reads photos."""

    def __init__(self, lat: float, lon: float) -> None:
        self.lat, self.lon = float(lat), float(lon)


def finish(args, base: learned.Base, model: learned.Learned, modes: teach.Modes, photos, out: Path, figures: dict[str, str]) -> None:
    """The card with its figures, and the manifest that pins it."""
    promise, manifest, parts = modes.tables["single"]["expected_error"]["promise"], base.manifest, model.division
    coarse = "nothing: --coarsen was not given"
    if args.coarsen is not None:
        coarse = f"{parts.coarse} cells around the most visited places, none finer than S2 level {args.coarsen}"
    foreign.write_card(out, "card_learned.md.in", {
        "name": args.name, "base": f"{manifest['name']} {manifest['version']}", "base_cells": len(base.cells), "photos": len(photos),
        "albums": len({r["album"] for r in photos.rows if r["album"]}), "archive_cells": len(parts.archive), "cells": len(parts.cells),
        "coarse": coarse, "kept": len(model.bank.cell), "temperature": f"{model.temperature:.2f}", "licence": args.licence,
        "base_licence": manifest["licence"], "folds": teach.FOLDS, "promise": args.promise,
        "album": album_words(modes), "shut": f"{100 * (1 - archive.ALIKE):g} %",
        "days": day_words(modes), "when": ", and the days they were taken on" if modes.diary else "",
        "kept_promise": f"Of these photos {100 * promise['answered']:.0f} % are answered, and {100 * promise['kept']:.0f} % of the answers keep it.",
        "heldout": figures["heldout"], "strangers": figures["strangers"],
        "elsewhere": "the demo's, of `pipeline/demo/photos`" if args.elsewhere.parent == args.elsewhere_photos and args.elsewhere_photos.name == "photos"
        else f"`{args.elsewhere.name}`",
    })
    foreign.write_manifest(out, about(args, base, model), modes.tables, albums(modes))


def day_words(modes: teach.Modes) -> str:
    """What the bundle knows of days."""
    if not modes.diary:
        return "none: no photo has a time, or --no-diary was given"
    alone = "photos alone and albums without a position are told" if "dated" in modes.tables else (
        f"albums without a position are told (photos alone are not: other albums know the day of fewer than {teach.LEAST_TOLD})")
    return (f"On which days ({len(set(modes.diary.day))} of them) the archive's photos were taken in which cell: {alone}, as far "
            "as their photos look like the archive's. `--no-diary` leaves it out")


def album_words(modes: teach.Modes) -> str:
    """Which album mode is the default, and why."""
    if not modes.worth:
        return "none: there is no album with two photos"
    figures = ", ".join(f"{name} {value:.3f}" for name, value in modes.worth.items())
    return (f"`{list(modes.tables)[-1]}`; `hmm`, which goes by the times, only where it surely comes nearer than `average` on answers of models that did not "
            f"learn the photo (mean of exp(−km / {teach.NEAR_KM:g}): {figures})")
