"""Times that go back or leap, videos that begin after their sound or between key frames: told from made files."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from animecut.errors import InputError
from animecut.video.reader import describe, read_clips
from tests.clips_made import number_in, numbered, write_video

COUNT = 24
OPEN_GOP = {"bf": "2", "g": "12"}
MPEG_4 = {"g": "12", "bf": "0", "sc_threshold": "1000000000"}
OPTIONS = {"libx264": {"x264-params": "keyint=12:scenecut=0"}, "mpeg4": MPEG_4, "wmv2": MPEG_4}


def read(path: Path, *span: float, told: list[str] | None = None) -> tuple[list[int], list[float]]:
    """Numbers of the pictures and when each appears, then the end."""
    clips = list(read_clips(path, *span, chunk=1, tell=(told if told is not None else []).append))
    times = [float(clip.times[0]) for clip in clips]
    return [number_in(clip.pixels[0]) for clip in clips], [*times, float(clips[-1].times[1])]


def joined(folder: Path, suffix: str, second_begins: int, options: dict[str, str] = OPEN_GOP) -> Path:
    """Two recordings, pictures 0..23 and 24..47, one after the other in a file; the second from a tick of its own."""
    parts = []

    for first, begins in ((0, 0), (COUNT, second_begins)):
        part = folder / f"{first}.{suffix}"
        pictures = [numbered(first + i) for i in range(COUNT)]
        codec = "mpeg2video" if suffix == "mpg" else "libx264"
        write_video(part, pictures, stamps=range(begins, begins + COUNT), codec=codec, options=options)
        parts.append(part.read_bytes())
    path = folder / f"joined.{suffix}"
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize("begins", [0, 5, 20 * 24, 900 * 24])
@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_joined_recordings_go_on_wherever_the_second_begins(tmp_path: Path, suffix: str, begins: int) -> None:
    told: list[str] = []
    path = joined(tmp_path, suffix, begins)
    numbers, times = read(path, told=told)
    assert numbers == list(range(2 * COUNT))
    assert times == pytest.approx(np.arange(2 * COUNT + 1) / 24, abs=0.001)
    assert not told
    assert (describe(path).duration_s or 0) < 60


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_a_range_of_joined_recordings_is_that_part_of_the_whole(tmp_path: Path, suffix: str) -> None:
    path = joined(tmp_path, suffix, 0)
    for first in (3, 23, 24, 40):
        numbers, times = read(path, first / 24, (first + 2) / 24)
        assert numbers == [first, first + 1]
        assert times[0] == pytest.approx(first / 24)


def test_joined_matroska_goes_on(tmp_path: Path) -> None:
    numbers, times = read(joined(tmp_path, "mkv", 0, {"bf": "3", "b_strategy": "0"}))
    assert numbers == list(range(2 * COUNT))
    assert times == pytest.approx(np.arange(2 * COUNT + 1) / 24, abs=0.003)


def test_a_pause_of_a_recording_stays(tmp_path: Path) -> None:
    path = write_video(tmp_path / "slides.ts", map(numbered, range(6)), stamps=[0, 96, 192, 288, 384, 480])
    numbers, times = read(path)
    assert numbers == list(range(6))
    assert times[:-1] == pytest.approx(np.arange(6) * 4, abs=0.001)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts", "mov"])
def test_time_zero_is_where_the_sound_begins(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"late.{suffix}"
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=24, options={"bf": "2"})
        video.width, video.height, video.pix_fmt = 80, 48, "yuv420p"
        sound = file.add_stream("aac", rate=48000, layout="mono")
        for place in range(140):
            quiet = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            quiet.sample_rate, quiet.pts, quiet.time_base = 48000, place * 1024, Fraction(1, 48000)
            file.mux(sound.encode(quiet))
        file.mux(sound.encode())
        for place in range(COUNT):
            frame = av.VideoFrame.from_ndarray(numbered(place), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = 48 + place, Fraction(1, 24)
            file.mux(video.encode(frame))
        file.mux(video.encode())
    numbers, times = read(path)
    assert numbers == list(range(COUNT))
    assert times[0] == pytest.approx(2, abs=0.025)  # the sound of AAC may begin a block before zero
    assert read(path, 2.5 + times[0] - 2, 2.6)[0][0] == 12
    assert read(path, 1.0, 2.1)[1][0] == times[0]
    with pytest.raises(InputError, match="first picture comes at 2"):
        read(path, 0.5, 1.0)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("avi", "mpeg4"), ("mkv", "mpeg4"), ("mkv", "libx264"), ("avi", "wmv2"), ("asf", "wmv2")]
)
def test_what_comes_before_the_first_key_frame_is_skipped_and_told(tmp_path: Path, suffix: str, codec: str) -> None:
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    write_video(whole, map(numbered, range(36)), codec=codec, options=OPTIONS[codec])
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for place, packet in enumerate(source.demux(source.streams.video[0])):
            if place >= 5 and packet.size:
                packet.stream = stream
                target.mux(packet)
    told: list[str] = []
    numbers, _ = read(cut, told=told)
    assert numbers == list(range(12, 36))
    assert told == ["begins between two key frames; skipped 7 pictures that cannot be decoded"]
