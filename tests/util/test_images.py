import numpy as np

from animecut._util.images import shrink


def test_averages_over_areas_whatever_the_way_there() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (72, 128, 3), np.uint8)
    picture = noise.repeat(5, axis=0).repeat(5, axis=1)
    exact = picture.reshape(36, 10, 64, 10, 3).mean((1, 3))
    small = shrink(picture, (64, 36))
    assert small.shape == (36, 64, 3)
    assert small.dtype == np.uint8
    assert np.corrcoef(small.ravel(), exact.ravel())[0, 1] > 0.8
    assert abs(float(small.mean() - exact.mean())) < 0.5
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, axis=0)[..., [0, 0, 0]]
    assert np.abs(shrink(ramp, (32, 32))[0, :, 0] - (np.arange(32) * 8 + 3.5)).max() <= 1


def test_odd_sizes_and_copies_no_larger_than_the_picture() -> None:
    picture = np.arange(7 * 9 * 4, dtype=np.uint8).reshape(7, 9, 4)
    assert shrink(picture, (3, 2)).shape == (2, 3, 4)
    assert np.array_equal(shrink(picture, (9, 7)), picture)


def test_no_softer_than_one_step() -> None:
    edge = np.zeros((1080, 1920, 3), np.uint8)
    edge[:, 963:] = 255
    profile = shrink(edge, (320, 180))[90, :, 0].astype(int)
    assert ((profile > 0) & (profile < 255)).sum() == 1  # six source pixels make one, of which three are white
