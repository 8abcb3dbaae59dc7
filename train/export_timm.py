"""A classifier of the package timm as a bundle: `python export_timm.py --model NAME --checkpoint FILE --classes cells.csv …`.

The table is that of wrap.py; its number of rows is the number of classes. Nothing is downloaded.
"""

import argparse
import io
import sys
from pathlib import Path

import onnx
import timm
import torch
from torch import nn

import classes
import export
import wrap


class Scored(nn.Module):
    """float32 [n, 3, size, size] → scores, and the layer before them."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor):
        seen = self.net.forward_features(x)
        return self.net.forward_head(seen), self.net.forward_head(seen, pre_logits=True)


def network(name: str, checkpoint: Path | None, count: int) -> wrap.Network:
    """timm's model with the weights of a checkpoint, which must have `count` classes; None = chance weights, for tests."""
    torch.manual_seed(7)
    net = timm.create_model(name, pretrained=False, num_classes=count, checkpoint_path=str(checkpoint or "")).eval()
    about = timm.data.resolve_model_data_config(net)
    size = about["input_size"][1]
    program = torch.onnx.export(
        Scored(net).eval(), (torch.zeros((2, 3, size, size)),), input_names=["input"], output_names=["scores", "last_layer"],
        opset_version=export.OPSET, dynamo=True, dynamic_shapes=({0: torch.export.Dim("n", min=1, max=4096)},), external_data=False, verbose=False,
    )
    model = onnx.load(io.BytesIO(program.model_proto.SerializeToString()))
    return wrap.Network(model, "scores", "last_layer", mean=tuple(about["mean"]), std=tuple(about["std"]), crop=about["crop_pct"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="timm's name of the architecture")
    parser.add_argument("--checkpoint", type=Path, required=True, help="file with its weights")
    wrap.common(parser)
    args = wrap.checked(parser)
    torch.set_num_threads(1)
    try:
        table = classes.read(args.classes)
        wrap.write(network(args.model, args.checkpoint, len(table)), table, args)
    except (ValueError, OSError, RuntimeError) as err:
        sys.exit(f"{args.model}: {err}")


if __name__ == "__main__":
    main()
