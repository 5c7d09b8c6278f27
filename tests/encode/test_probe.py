"""What Pillow and PyAV wrote, as the reader sees it."""

from pathlib import Path

import av
import numpy as np
import pytest

from animecut.encode.probe import decode_pictures, probe
from animecut.errors import InputError
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
