"""The estimator in strips equals the estimator at once."""

import itertools

import pytest
import torch

from safelight.engine.networks import degradation
from safelight.engine.networks.degradation import DegradationEstimator, load_estimator, strips
from safelight.geometry import Size


@pytest.fixture(scope="module")
def estimator():
    torch.manual_seed(0)
    made = DegradationEstimator()
    with torch.no_grad():  # as large as trained ones, so that the scores depend on the picture
        for parameter in made.parameters():
            parameter.mul_(1.6)
    return made.requires_grad_(False).eval()


def picture(width, height):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(width))


@pytest.mark.parametrize("size", [Size(40, 200), Size(33, 131), Size(30, 96), Size(20, 7)])
def test_strips_give_the_same_scores(estimator, monkeypatch, size):
    monkeypatch.setattr(degradation, "STRIP_PX", 0)
    whole = picture(*size)
    read = []

    def rows(start, end):
        read.append(end - start)
        return whole[:, :, start:end]

    found = estimator.in_strips(rows, size)
    assert torch.allclose(found, estimator(whole), atol=2e-7, rtol=0)
    assert max(read) <= degradation.LEAST_STRIP_ROWS + 2 * degradation.HALO_PX


def test_a_smaller_halo_would_show(estimator, monkeypatch):
    monkeypatch.setattr(degradation, "STRIP_PX", 0)
    monkeypatch.setattr(degradation, "HALO_PX", 8)
    whole = picture(40, 200)
    found = estimator.in_strips(lambda start, end: whole[:, :, start:end], Size(40, 200))
    assert not torch.allclose(found, estimator(whole), atol=2e-7, rtol=0)


@pytest.mark.parametrize("size", [Size(1, 1), Size(100_000, 100), Size(640, 481), Size(3, 100_000)])
def test_strips_cover_every_row_once_from_even_rows_on(size):
    spans = list(strips(size))
    assert spans[0][0] == 0
    assert spans[-1][1] == size.height
    assert all(a[1] == b[0] and b[0] % 2 == 0 for a, b in itertools.pairwise(spans))


def test_a_state_dict_of_another_shape_is_refused(estimator):
    tensors = estimator.state_dict()
    tensors["fc_degree.0.0.weight"] = torch.zeros(512, 64)
    with pytest.raises(RuntimeError):
        load_estimator(tensors)
