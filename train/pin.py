"""Writes sizes and SHA-256 of every file of a bundle into its bundle.yaml: `python pin.py DIR`, after any edit of a file."""

import hashlib
import sys
from pathlib import Path

import yaml


class Flow(dict):
    """A mapping written on one line."""


class Row(list):
    """A list written on one line."""


class Dumper(yaml.SafeDumper):
    """Block style, keys in the order they were given, Flow and Row on one line, lists indented below their key."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


Dumper.add_representer(Flow, lambda d, v: d.represent_mapping("tag:yaml.org,2002:map", v.items(), flow_style=True))
Dumper.add_representer(Row, lambda d, v: d.represent_sequence("tag:yaml.org,2002:seq", v, flow_style=True))


def files(bundle: Path) -> list[Flow]:
    found = sorted(p for p in bundle.rglob("*") if p.is_file() and p.name != "bundle.yaml")
    return [
        Flow(path=p.relative_to(bundle).as_posix(), bytes=p.stat().st_size, sha256=hashlib.sha256(p.read_bytes()).hexdigest())
        for p in found
    ]


def styled(manifest: dict) -> dict:
    """The manifest with its short mappings on one line each."""
    out = dict(manifest)
    for key in ("input", "cnn", "album", "cells"):
        out[key] = Flow({k: Row(v) if isinstance(v, list) else v for k, v in out[key].items()})
    out["calibration"] = {mode: rows_in_flow(table) for mode, table in out["calibration"].items()}
    return out


def rows_in_flow(table: dict) -> dict:
    """A calibration with every row of its radius tables, and its promise, on one line."""
    out = table | {"radius": [Flow(row) for row in table["radius"]]}
    if "expected_error" in table:
        inner = table["expected_error"]
        tables = [t | {"radius": [Flow(row) for row in t["radius"]]} for t in inner["tables"]]
        out["expected_error"] = inner | {"tables": tables, "promise": Flow(inner["promise"])}
    return out


def write(bundle: Path, manifest: dict) -> None:
    """bundle.yaml with `files` as they are on disk now."""
    pinned = {}
    for key, value in styled(manifest).items():
        if key == "files":
            continue
        if key == "input":
            pinned["files"] = files(bundle)
        pinned[key] = value
    text = yaml.dump(pinned, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=400)
    (bundle / "bundle.yaml").write_text(text)


def main() -> None:
    bundle = Path(sys.argv[1])
    write(bundle, yaml.safe_load((bundle / "bundle.yaml").read_text()))


if __name__ == "__main__":
    main()
