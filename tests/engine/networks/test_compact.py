from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from safelight.engine.networks.compact import (
    CompactNetwork,
    CompactWeightsError,
    Rectifier,
    load_compact,
    save_compact,
)

SHIPPED = Path(str(files("safelight"))) / "engine" / "weights" / "compact.safetensors"
SCALES = (1, 2, 4)


def _tiny(scale: int, *, head_deviation: float = 0.1) -> CompactNetwork:
    generator = torch.Generator().manual_seed(scale)
    network = CompactNetwork(scale=scale, channels=8, convs=2)
    network.initialise(generator)
    torch.nn.init.normal_(network.head.weight, std=head_deviation, generator=generator)
    return network.eval()


def _picture(height: int, width: int, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 10), (5, 9), (2, 3), (1, 1), (1, 6)])
def test_every_size_gives_scale_times_its_size(scale, height, width):
    with torch.no_grad():
        assert _tiny(scale)(_picture(height, width)).shape == (1, 3, height * scale, width * scale)


def test_odd_sides_at_scale_1_are_extended_by_reflection():
    network, x = _tiny(1), _picture(7, 9)
    extended = torch.nn.functional.pad(x, (0, 1, 0, 1), mode="reflect")
    with torch.no_grad():
        torch.testing.assert_close(network(x), network(extended)[..., :7, :9])


@pytest.mark.parametrize("scale", [2, 4])
def test_skip_is_pillows_bicubic_up_to_the_edges(scale):
    x = _picture(13, 9)
    planes = [
        Image.fromarray(plane.numpy()).resize((9 * scale, 13 * scale), Image.Resampling.BICUBIC)
        for plane in x[0]
    ]
    expected = torch.from_numpy(np.stack([np.asarray(p) for p in planes]))
    torch.testing.assert_close(_tiny(scale).skip(x)[0], expected, atol=1e-5, rtol=0)


def test_skip_at_scale_1_is_the_input():
    x = _picture(5, 5)
    assert _tiny(1).skip(x) is x


@pytest.mark.parametrize("scale", SCALES)
def test_an_initialised_network_is_nearly_its_skip(scale):
    network, x = CompactNetwork(scale=scale), _picture(16, 16)
    network.initialise(torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert (network(x) - network.skip(x)).abs().max() < 0.1


@pytest.mark.parametrize("scale", SCALES)
def test_nothing_beyond_the_receptive_field_changes_a_pixel(scale):
    network = _tiny(scale)
    radius, side = network.receptive_field_px, 40
    x = _picture(side, side)
    touched = x.clone()
    column = 4
    touched[..., column] = 1 - touched[..., column]
    with torch.no_grad():
        change = (network(x) - network(touched)).abs().amax((0, 1, 2))
    changed = torch.nonzero(change > 0).flatten() // scale
    assert changed.max() <= column + radius
    assert changed.max() >= column + radius - network.cell_px


def test_sharpness_may_differ_within_a_batch():
    network, x = _tiny(4), _picture(8, 8, batch=2)
    with torch.no_grad():
        mixed = network(x, torch.tensor([0.0, 1.0]))
        torch.testing.assert_close(mixed[:1], network(x[:1], 0.0))
        torch.testing.assert_close(mixed[1:], network(x[1:], 1.0))
        assert not torch.allclose(mixed[1:], network(x[1:], 0.0))


def test_a_bfloat16_body_keeps_the_dtype_of_the_picture():
    x = _picture(8, 8)
    with torch.no_grad():
        exact, reduced = _tiny(4)(x), _tiny(4).to(torch.bfloat16)(x)
    assert reduced.dtype == torch.float32
    torch.testing.assert_close(reduced, exact, atol=0.05, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("slopes", [[0.25, -0.3, 1.0], [0.25, 1.5, 0.0]], ids=["at most 1", "above 1"])
def test_the_rectifier_is_prelu_to_the_bit(dtype, slopes):
    special = torch.tensor([0.0, -0.0, 1e-3, -1e-3, float("inf"), float("nan")])
    x = torch.cat([special, torch.randn(250, generator=torch.Generator().manual_seed(3))])
    x = x.to(dtype).expand(3, 256).reshape(1, 3, 16, 16).contiguous(memory_format=torch.channels_last)
    rectifier = Rectifier(3).to(dtype)
    rectifier.weight.data = torch.tensor(slopes, dtype=dtype)
    with torch.no_grad():
        torch.testing.assert_close(
            rectifier(x), torch.nn.functional.prelu(x, rectifier.weight), rtol=0, atol=0, equal_nan=True
        )


def test_saved_networks_load_with_their_sizes_and_output(tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_compact(path, {scale: _tiny(scale) for scale in SCALES})
    for scale in SCALES:
        network, loaded, x = _tiny(scale), load_compact(path, scale), _picture(9, 8)
        assert (loaded.scale, loaded.channels, loaded.convs) == (scale, 8, 2)
        assert not loaded.training
        assert not any(p.requires_grad for p in loaded.parameters())
        with torch.no_grad():
            # Weights are rounded to fp16 in the file.
            torch.testing.assert_close(loaded(x), network(x), atol=5e-3, rtol=0)


def test_saving_twice_gives_the_same_hash(tmp_path):
    first = save_compact(tmp_path / "a.safetensors", {2: _tiny(2)})
    assert save_compact(tmp_path / "b.safetensors", {2: _tiny(2)}) == first


def test_an_altered_file_is_refused(tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_compact(path, {4: _tiny(4)})
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CompactWeightsError, match=r"altered.*SHA-256"):
        load_compact(path, 4)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CompactWeightsError, match="Cannot read"):
        load_compact(tmp_path / "none.safetensors", 4)


def test_a_scale_that_the_file_lacks_is_refused(tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_compact(path, {4: _tiny(4)})
    with pytest.raises(CompactWeightsError, match="scale 2"):
        load_compact(path, 2)


def test_shipped_weights_stay_within_their_size():
    assert SHIPPED.stat().st_size <= 3_000_000


@pytest.mark.parametrize("scale", SCALES)
def test_shipped_weights_differ_from_their_skip(scale):
    network = load_compact(SHIPPED, scale)
    stripes = (torch.arange(48) // 4 % 2).float().expand(1, 3, 48, 48)
    damaged = (
        0.25 + 0.5 * stripes + 0.05 * torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    )
    change = (network(damaged) - network.skip(damaged)).abs().mean()
    assert change > 0.5 / 255


def test_crisp_is_sharper_than_faithful():
    network = load_compact(SHIPPED, 4)
    stripes = (torch.arange(48) // 12 % 2).float().expand(1, 3, 48, 48) * 0.5 + 0.25
    soft = torch.nn.functional.avg_pool2d(stripes, 3, 1, 1)
    faithful, crisp = (network(soft, s)[..., 80:110].diff(dim=-1).abs().max() for s in (0.0, 1.0))
    assert crisp > faithful
