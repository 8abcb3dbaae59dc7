"""The same network in PyTorch, eager, as a ceiling: one line `device precision batch photos-a-second` a figure.

Random weights: speed does not depend on them. Needs torch and efficientnet-lite-pytorch, as training does.
"""

import sys
import time

import torch
from efficientnet_lite_pytorch import EfficientNet

span, device = float(sys.argv[1]), "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(1)
for precision in (torch.float32, torch.float16) if device == "cuda" else (torch.float32,):
    network = EfficientNet.from_name("efficientnet-lite0").to(device, precision).eval()
    if device == "cuda":
        network = network.to(memory_format=torch.channels_last)
    for batch in (1, 16, 64, 128) if device == "cuda" else (1, 16):
        pixels = torch.randint(0, 256, (batch, 224, 224, 3), dtype=torch.uint8)  # as a worker hands them over
        done, started = -batch, time.monotonic()  # the first call is not counted
        with torch.inference_mode():
            while done < 0 or time.monotonic() - started < span:
                network(pixels.to(device).permute(0, 3, 1, 2).to(precision) / 127.5 - 1).float().cpu()
                done += batch
                if done == 0:
                    started = time.monotonic()
        print(device, str(precision).removeprefix("torch."), batch, f"{done / (time.monotonic() - started):.0f}", flush=True)
