"""What is kept of a run, and that a run that was killed goes on where it was."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

import accelerator
import calibrate
import features
import finetune
import graphs
import heads
import store
import textures
from progress import Progress


@dataclass(frozen=True)
class Settings:
    epochs: int = 3


def test_a_step_is_done_once_for_the_same_inputs_and_again_for_others(tmp_path):
    work, done = store.Store(tmp_path), []

    def make():
        done.append(1)
        return np.arange(3)

    x = np.ones((2, 2))
    for inputs in ([x, Settings()], [x, Settings()], [x, Settings(4)], [x + 1e-9, Settings()], [x.astype(np.float32), Settings()]):
        assert (work.step("head", inputs, make) == [0, 1, 2]).all()
    assert len(done) == 4


def test_other_code_is_another_step():
    assert store.digest(heads) != store.digest(calibrate)
    assert store.digest(heads) == store.digest(heads)


def test_a_kill_leaves_a_whole_file_or_none(tmp_path):
    work = store.Store(tmp_path)

    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work.step("head", [1], killed)
    assert not list(tmp_path.glob("head-*"))
    assert work.step("head", [1], lambda: "whole") == "whole"


class Net(torch.nn.Module):
    """A backbone of one number: the mean of the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1), requires_grad=False)
        self.about = type("About", (), {"size": 32, "width": 1})()

    def forward(self, pixels):
        return pixels.to(torch.float32).mean(dim=(1, 2, 3))[:, None] * self.scale


def test_features_of_a_killed_run_are_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "PIECE", 2)
    work, opened = store.Store(tmp_path), []

    def open_image(i, limit=99):
        if len(opened) >= limit:
            raise KeyboardInterrupt
        opened.append(i)
        return textures.draw(textures.clouds, i)

    names = [f"photo {i}" for i in range(5)]
    with pytest.raises(KeyboardInterrupt):
        features.cached(work, "photos", Net(), names, lambda i: open_image(i, 3), 2, False)
    assert opened == [0, 1, 2]
    seen = features.cached(work, "photos", Net(), names, open_image, 2, False)
    assert opened == [0, 1, 2, 2, 3, 4], "the first piece was kept, the half one is made again"
    assert seen.embeddings.shape == (5, 3, 1) and seen.trunks is None
    opened.clear()
    again = features.cached(work, "photos", Net(), names, open_image, 2, False)
    assert opened == [] and (again.embeddings == seen.embeddings).all()


def test_a_gpu_sees_several_pictures_at_a_time_and_each_as_the_shipped_graph_does(tmp_path, monkeypatch):
    class Tailed(Net):
        def trunk(self, pixels):
            return pixels.to(torch.float32).permute(0, 3, 1, 2)[:, :, ::8, ::8] * self.scale

        def tail(self, x):
            return x.mean(dim=(2, 3))

    names, net = [f"photo {i}" for i in range(5)], Tailed()
    shipped = graphs.session(features.exported(net, tmp_path))
    made = [features.piece(shipped, names, lambda i: textures.draw(textures.clouds, i), 32, 2, True)]
    monkeypatch.setattr(accelerator, "on_gpu", lambda: True)  # its way through the code, on whatever is here
    monkeypatch.setattr(accelerator, "TOGETHER", 2)
    made.append(features.piece(features.eyes(net, tmp_path, True), names, lambda i: textures.draw(textures.clouds, i), 32, 2, True))
    for key in made[0]:
        assert made[0][key].shape == made[1][key].shape and np.allclose(made[0][key], made[1][key], rtol=1e-3)
    again = finetune.embed(net, features.Views(**{f"{k}s": v for k, v in made[1].items()}), net.state_dict(), [4, 0, 2])
    assert np.allclose(again, made[0]["embedding"][[4, 0, 2]], rtol=1e-2) and len({tuple(row) for row in again[:, 0]}) == 3


def test_progress_says_how_long_the_rest_takes():
    assert Progress("features", 300, done=100).line(10.0).startswith("features: 100 of 300, 10 s gone")
    half = Progress("steps", 10, every_s=1e9)
    for _ in range(5):
        half.step()
    assert half.line(20.0) == "steps: 5 of 10, 20 s gone, 20 s to go"
    resumed = Progress("steps", 100, done=90, every_s=1e9)
    resumed.step(5)
    assert resumed.line(10.0) == "steps: 95 of 100, 10 s gone, 10 s to go"


def test_two_trainings_with_one_seed_give_the_same_head():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 2, 8)).astype(np.float32)
    target = np.eye(3, dtype=np.float32)[rng.integers(3, size=60)]
    lesson = heads.Lesson((heads.Level(target, np.arange(3)),), np.ones(60, np.float32), np.ones(3) / 3)
    settings = heads.HeadSettings(epochs=2)
    one, two = (heads.train_head(x, lesson, x[:9, 0], settings).folded().linear.weight.numpy() for _ in range(2))
    assert (one == two).all() and np.abs(one).max() > 0


def test_the_folded_head_answers_as_the_levels_it_was_made_of():
    rng = np.random.default_rng(4)
    x = rng.normal(loc=2, size=(60, 2, 8)).astype(np.float32)
    fine, coarse = rng.integers(4, size=60), np.array([0, 0, 1, 1])
    levels = (heads.Level(np.eye(4, dtype=np.float32)[fine], np.arange(4)), heads.Level(np.eye(2, dtype=np.float32)[coarse[fine]], coarse))
    learner = heads.train_head(x, heads.Lesson(levels, np.ones(60, np.float32), np.ones(4) / 4), x[:9, 0], heads.HeadSettings(epochs=3))
    with torch.no_grad():
        np.testing.assert_allclose(learner.folded()(torch.from_numpy(x)), learner.logits(torch.from_numpy(x)), atol=1e-4)


