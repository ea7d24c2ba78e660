import numpy as np

from training.generate import generate_picture


def test_a_picture_depends_on_seed_and_index_only():
    generate_picture(3, 0, size=64)
    again = generate_picture(3, 1, size=64)
    assert np.array_equal(again, generate_picture(3, 1, size=64))


def test_seeds_and_indices_give_different_pictures():
    pictures = [generate_picture(seed, index, size=64) for seed, index in ((3, 0), (3, 1), (4, 0))]
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_pictures_are_full_of_edges():
    for index in range(6):
        picture = generate_picture(5, index, size=64)
        assert picture.shape == (64, 64, 3)
        assert picture.dtype == np.uint8
        assert np.abs(np.diff(picture.astype(int), axis=1)).max() > 40
