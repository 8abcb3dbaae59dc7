"""Fine-tuning of the backbone's last blocks, from kept trunks, so that an epoch costs a tenth of the whole network.

First the head is learned on frozen features, then head and tail together with a small step (Kumar et al., 2022: fine-tuning
from a random head destroys what the features knew). The statistics of batch normalisation are left alone.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch

import accelerator
import features
import heads
from progress import Progress

VIEWS = 3  # of a photo that are embedded again after fine-tuning: the centre calibrates, these teach the album model


@dataclass(frozen=True)
class TuneSettings:
    """What the demo is made with; epochs 0: the backbone stays frozen."""

    epochs: int = 5
    learning_rate: float = 5e-4
    head_rate: float = 5e-4
    weight_decay: float = 0.05
    warm_steps: int = 100
    batch: int = 64
    seed: int = 13


def tune(net: torch.nn.Module, trunks: np.ndarray, rows: list[int], nowhere: np.ndarray, learner: heads.Learner,
         settings: TuneSettings) -> tuple[heads.Learner, dict]:
    """The learner and the tail's weights after `epochs` over a random view of each photo; `net` is not changed."""
    torch.manual_seed(settings.seed)
    where = accelerator.device()
    net = copy.deepcopy(net).eval().to(where, memory_format=torch.channels_last)  # a fifth faster on a CPU
    learner.to(where)
    parameters = [p.requires_grad_(True) for p in net.tail_parameters()]
    groups = [{"params": parameters, "lr": settings.learning_rate, "weight_decay": settings.weight_decay},
              {"params": list(learner.parameters()), "lr": settings.head_rate, "weight_decay": 0.1}]
    optimiser, chosen, size = torch.optim.AdamW(groups), torch.tensor(rows), min(settings.batch, len(rows))
    steps = settings.epochs * (len(rows) // size)

    def rate(s: int) -> float:
        return min(1.0, (s + 1) / settings.warm_steps) * 0.5 * (1 + float(np.cos(np.pi * s / max(steps, 1))))

    schedule, progress = torch.optim.lr_scheduler.LambdaLR(optimiser, rate), Progress("fine-tuning steps", steps)
    for _ in range(settings.epochs):
        for batch in torch.randperm(len(rows)).split(size):
            if len(batch) < size:
                continue
            view, others = torch.randint(trunks.shape[1], (len(batch),)), torch.randint(len(nowhere), (max(size // 4, 1),))
            both = np.concatenate([trunks[chosen[batch], view], nowhere[others, 0]]).astype(np.float32)
            embedded = net.tail(torch.from_numpy(both).to(where, memory_format=torch.channels_last))
            loss = learner.loss(embedded[:size], batch.to(where), embedded[size:])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*parameters, *learner.parameters()], 1.0)
            optimiser.step()
            schedule.step()
            progress.step()
    return learner.cpu(), net.cpu().state_dict()


def with_tail(net: torch.nn.Module, tail: dict | None) -> torch.nn.Module:
    """A copy of the backbone with the fine-tuned weights."""
    net = copy.deepcopy(net).eval()
    if tail is not None:
        net.load_state_dict(tail)
    return net.requires_grad_(False)


def embed(net: torch.nn.Module, seen: features.Views, tail: dict | None, rows, views: int = VIEWS) -> np.ndarray:
    """Embeddings [rows, the first views, width]: the kept ones, or those of the fine-tuned tail."""
    if tail is None:
        return seen.embeddings[list(rows), :views]
    net, out = with_tail(net, tail).to(accelerator.device()), []
    with torch.no_grad():
        for some in accelerator.together(rows):
            trunks = seen.trunks[some, :views].astype(np.float32)
            seen_again = net.tail(accelerator.tensor(trunks.reshape(-1, *trunks.shape[2:]))).cpu().numpy()
            out.append(seen_again.reshape(len(some), -1, seen_again.shape[-1]))
    return np.concatenate(out)
