import numpy as np

from animecut.matte.guided_filter import guided_filter


def test_a_soft_guess_becomes_as_sharp_as_the_picture() -> None:
    """A red figure on green, its edge blurred over eight pixels in the guess."""
    rng = np.random.default_rng(0)
    truth = np.zeros((40, 60), np.float32)
    truth[:, 30:] = 1
    rgb = np.where(truth[..., None] > 0, (200, 40, 50), (60, 150, 80)) + rng.normal(0, 2, (40, 60, 3))
    columns = np.arange(60, dtype=np.float32)
    guess = np.broadcast_to(np.clip((columns - 26) / 8, 0, 1), truth.shape).astype(np.float32)
    found = guided_filter(np.clip(rgb, 0, 255).astype(np.uint8), guess)
    assert np.abs(np.clip(found, 0, 1) - truth).mean() < 0.75 * np.abs(guess - truth).mean()
    assert found.dtype == np.float32


def test_what_is_even_and_flat_stays_as_it_is() -> None:
    flat = np.full((20, 20, 3), 128, np.uint8)
    guess = np.full((20, 20), 0.25, np.float32)
    assert np.allclose(guided_filter(flat, guess), 0.25, atol=1e-3)
