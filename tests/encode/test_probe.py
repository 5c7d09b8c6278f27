"""What Pillow and PyAV wrote, as the reader sees it."""

from pathlib import Path

import av
import numpy as np
import pytest

from animecut.encode import probe as reader
from animecut.encode.probe import decode_pictures, probe
from animecut.encode.writer import write_sticker
from animecut.errors import InputError
from animecut.types import Clip
from tests.clips_made import write_video
from tests.stickers_made import image, picture, video


def test_the_reader_sees_what_was_written(tmp_path: Path) -> None:
    shown = list(decode_pictures(video(tmp_path / "a.webm", (510, 96), [100, 50, 200])))
    assert [seconds for _, seconds in shown] == pytest.approx([0.1, 0.05, 0.2])
    for i, (rgba, _) in enumerate(shown):
        meant = np.asarray(picture((510, 96), i))
        assert np.abs(rgba[..., 3].astype(int) - meant[..., 3]).mean() < 2
        assert np.abs(rgba[30:50, 25:40].astype(int) - meant[30:50, 25:40]).max() < 40


@pytest.mark.parametrize(("loop", "plays"), [(None, 1), (2, 3), (0, 0)])
def test_a_gif_counts_its_repeats(loop: int | None, plays: int, tmp_path: Path) -> None:
    assert probe(image(tmp_path / "a.gif", (128, 128), [100] * 3, loop=loop)).plays == plays


def test_all_that_a_file_says(tmp_path: Path) -> None:
    seen = probe(video(tmp_path / "a.webm", (96, 64), [100] * 3, sound=True))
    assert (seen.format, seen.codec, seen.streams, seen.size) == ("webm", "vp9", ("audio",), (96, 64))
    assert seen.has_alpha
    assert seen.transparent
    assert seen.distinct == 3
    assert seen.bytes == (tmp_path / "a.webm").stat().st_size


def test_a_large_file_is_not_loaded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = video(tmp_path / "a.webm", (96, 64), [100] * 3)
    monkeypatch.delattr(Path, "read_bytes")
    assert probe(path).format == "webm"


def test_a_container_that_begins_as_webp_does_is_none(tmp_path: Path) -> None:
    frames = [av.VideoFrame.from_ndarray(np.asarray(picture((96, 64), i))[..., :3], "rgb24") for i in range(3)]
    seen = probe(write_video(tmp_path / "a.avi", frames, codec="mpeg4"))
    assert (seen.format, seen.codec, seen.distinct) == ("avi", "mpeg4", 3)


def test_a_codec_that_nobody_knows_is_said(tmp_path: Path) -> None:
    known = video(tmp_path / "a.webm", (96, 64), [100] * 3).read_bytes()
    (tmp_path / "a.webm").write_bytes(known.replace(b"V_VP9", b"V_NEW"))
    with pytest.raises(InputError, match=r"a\.webm: holds no picture that can be decoded"):
        probe(tmp_path / "a.webm")


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.webp").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.webp: cannot be read as a picture or video"):
        probe(tmp_path / "a.webp")


def walk(count: int) -> Clip:
    """A block that moves, and goes in part: what goes has to be seen going."""
    pixels = np.stack([np.asarray(picture((96, 64), i)) for i in range(count)])
    pixels[count // 2 :, 30:40] = 0
    return Clip(pixels, np.arange(count + 1, dtype=np.float64) / 8)


def test_a_long_webp_is_read_picture_by_picture_as_another_reader_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_sticker(tmp_path / "out.webp", [walk(6)], "webp").path
    at_once = list(decode_pictures(path))
    monkeypatch.setattr(reader, "LONG", 1)
    one_by_one = list(decode_pictures(path))
    assert len(one_by_one) == 6
    for (got, seconds), (meant, shown) in zip(one_by_one, at_once, strict=True):
        assert seconds == shown
        np.testing.assert_array_equal(np.where(got[..., 3:] > 0, got, 0), np.where(meant[..., 3:] > 0, meant, 0))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="too large for any other"):
        list(decode_pictures(path))


def test_a_long_webp_of_others_is_refused_rather_than_shown_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = image(tmp_path / "a.webp", (96, 64), [100] * 3)
    monkeypatch.setattr(reader, "LONG", 1)
    with pytest.raises(InputError, match="no whole picture of ours"):
        list(decode_pictures(path))


def test_a_folder_of_frames_has_their_times(tmp_path: Path) -> None:
    clip = walk(3)
    write_sticker(tmp_path / "frames", [clip], "png")
    shown = list(decode_pictures(tmp_path / "frames"))
    assert [seconds for _, seconds in shown] == pytest.approx([1 / 8] * 3)
    np.testing.assert_array_equal(np.stack([rgba for rgba, _ in shown]), clip.pixels)
