import numpy as np
import pytest
import torch

from safelight.engine.networks.compact import load_compact, save_compact
from training.degrade import pool_sample
from training.export import averaged_network
from training.generate import generate_picture
from training.train import Pool, Trainer, TrainingConfig

CPU = torch.device("cpu")


def _config(scale: int, steps: int = 40) -> TrainingConfig:
    return TrainingConfig(scale, channels=8, convs=2, steps=steps, batch=2, peak_rate=3e-3)


@pytest.fixture(scope="module")
def pool_file(tmp_path_factory):
    pictures = [generate_picture(1, index, size=224) for index in range(2)]
    low, target, sharpness = zip(*(pool_sample(pictures, i, scale=4, seed=1) for i in range(12)), strict=True)
    path = tmp_path_factory.mktemp("pool") / "x4.npz"
    np.savez(path, low=low, target=target, sharpness=np.asarray(sharpness, np.float32), scale=4)
    return path


def test_a_resumed_run_ends_with_the_same_bits(pool_file, tmp_path):
    pool, scale = Pool.load(pool_file, CPU)
    whole = Trainer(_config(scale), CPU)
    for _ in range(3):
        whole.advance(pool)

    interrupted = Trainer(_config(scale), CPU)
    interrupted.advance(pool)
    interrupted.save(tmp_path / "x4.ckpt")
    resumed = Trainer.resume(tmp_path / "x4.ckpt", CPU)
    for _ in range(2):
        resumed.advance(pool)

    assert resumed.step == whole.step == 3
    for kind in ("network", "average"):
        states = (getattr(t, kind).state_dict() for t in (whole, resumed))
        assert all(torch.equal(a, b) for a, b in zip(*(s.values() for s in states), strict=True))


def test_the_loss_falls(pool_file):
    pool, scale = Pool.load(pool_file, CPU)
    trainer = Trainer(_config(scale, steps=120), CPU)
    losses = [trainer.advance(pool) for _ in range(120)]
    assert np.mean(losses[-20:]) < np.mean(losses[:20])


def test_an_exported_checkpoint_holds_the_average(pool_file, tmp_path):
    pool, scale = Pool.load(pool_file, CPU)
    trainer = Trainer(_config(scale), CPU)
    trainer.advance(pool)
    trainer.save(tmp_path / "x4.ckpt")
    save_compact(tmp_path / "x4.safetensors", {4: averaged_network(tmp_path / "x4.ckpt")})
    loaded = load_compact(tmp_path / "x4.safetensors", 4)
    for exported, average in zip(loaded.parameters(), trainer.average.parameters(), strict=True):
        torch.testing.assert_close(exported, average.detach(), atol=1e-3, rtol=1e-3)
