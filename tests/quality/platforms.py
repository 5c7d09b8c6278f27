"""Real clips for every platform that takes moving stickers: problems, bytes, likeness, and what the fitting costs.

Run: python -m tests.quality.platforms [long short ...] [--keep FOLDER]

Two clips are our own; the others lie in ../shared, and no picture of them in here. Every sticker is opened by our own
checker, by Pillow or PyAV asked directly, and, where it is installed, by sticker-convert with the limits of our table.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Any

import av
from PIL import Image

from animecut._util.progress import Progress
from animecut.errors import OutputError
from animecut.pipeline import cut
from animecut.platforms.specs import PLATFORMS, Platform
from animecut.results import Output, Target
from animecut.segmentation.loading import Loading
from animecut.settings import SUFFIXES, Settings

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "clips"
SAMPLES = Path(__file__).parents[2] / "samples"
RANGES: dict[str, tuple[str, float | None, float | None]] = {
    "wave": (str(SAMPLES / "wave.mp4"), 0.0, 2.0),
    "two": (str(SAMPLES / "two.mp4"), 0.0, 2.0),
    "long": ("tv_two_480p_subtitles.mp4", None, None),
    "short": ("film_girl_320p.mp4", 1.0, 1.5),
    "held": ("tv_boy_480p_held.mp4", None, None),
    "tiny": ("loop_portrait_256.gif", None, None),
    "huge": ("dark_crowd_1080p.mp4", None, None),
    "one": ("tv_boy_480p_held.mp4", 0.8, 1.4),
}
SEVEN = ("telegram", "whatsapp", "discord", "signal", "line", "wechat", "slack")
MOVING = tuple(name for name, row in PLATFORMS.items() if row.animated)
OTHERS = tuple(name for name in MOVING if name not in SEVEN)
FLOATS = 1e-6  # seconds that adding floats may be off


def second_look(path: Path, row: Platform) -> Iterator[str]:
    """What Pillow or PyAV, asked directly, finds amiss."""
    if path.suffix == ".webm":
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            size, seconds = (stream.width, stream.height), [(container.duration or 0) / 1e6]
            if len(container.streams) > 1 or stream.metadata.get("alpha_mode") != "1":
                yield "has other streams, or no alpha"
            count = sum(packet.size > 0 for packet in container.demux(stream))
    else:
        with Image.open(path) as image:
            size, count, seconds = image.size, getattr(image, "n_frames", 1), []
            plays = image.info.get("loop")
            for i in range(count):
                image.seek(i)
                image.load()
                seconds.append(image.info.get("duration", 0) / 1000)
        if row.loops and count > 1 and plays not in range(row.loops[0], row.loops[1] + 1):
            yield f"plays {plays} times"
        total = sum(seconds) * (plays or 1)
        if row.whole_seconds and abs(total - round(total)) > FLOATS:
            yield f"lasts {total} s"
    if size[0] > row.width or size[1] > row.height or (row.canvas == "exact" and size != (row.width, row.height)):
        yield f"is {size} pixels"
    if not row.min_frames <= count <= row.max_frames:
        yield f"has {count} frames"
    if sum(seconds) > row.max_seconds + FLOATS or path.stat().st_size > row.max_bytes:
        yield f"lasts {sum(seconds)} s, {path.stat().st_size} bytes"


def third_look(path: Path, row: Platform) -> Iterator[str]:
    """What sticker-convert refuses. Its frame rate is the common divisor of all times, so 62 and 63 ms are 1000 fps."""
    try:
        from sticker_convert.job_option import CompOption  # type: ignore[import-not-found]
        from sticker_convert.utils.media.codec_info import CodecInfo  # type: ignore[import-not-found]
        from sticker_convert.utils.media.format_verify import FormatVerify  # type: ignore[import-not-found]
    except ImportError:
        return
    wanted: Any = CompOption(
        duration_max=None if row.max_seconds == inf else round(row.max_seconds * 1000),
        fps_max=None if row.max_fps == inf else round(row.max_fps),
    )
    wanted.set_size_max(None if row.max_bytes == inf else round(row.max_bytes))
    wanted.set_format((SUFFIXES[row.format],))
    if row.canvas == "exact":
        wanted.set_res_w(row.width)
        wanted.set_res_h(row.height)
    seen = CodecInfo(path)
    for name, takes in (
        ("size", FormatVerify.check_file_size(path, wanted.get_size_max(), seen)),
        ("duration", FormatVerify.check_file_duration(path, wanted.get_duration(), seen)),
        ("format", FormatVerify.check_format(path, wanted.get_format(), seen)),
        ("fps", FormatVerify.check_file_fps(path, wanted.get_fps(), seen)),
        ("pixels", FormatVerify.check_file_res(path, wanted.get_res(), seen)),
    ):
        if not takes:
            yield f"sticker-convert: {name} ({seen.fps:.0f} fps, {seen.frames} frames in {seen.duration} ms)"


def stickers(name: str, platforms: Sequence[str], folder: Path, segment: Loading) -> tuple[list[Output], float]:
    """A clip cut for the platforms (plain WebP where there are none), and the CPU seconds that took."""
    file, start, end = RANGES[name]
    rows = [PLATFORMS[platform] for platform in platforms]
    targets = [Target(folder / f"{name}.{row.name}{SUFFIXES[row.format]}", row.format, row) for row in rows]
    plain = Target(folder / f"{name}.webp", "webp")
    begun = time.process_time()
    report = cut(CLIPS / file, targets or [plain], Settings(start, end), segment, Progress())
    return report.outputs, time.process_time() - begun


def told(name: str, output: Output) -> str:
    """A row of the table."""
    file, row = output.written, PLATFORMS[output.platform or ""]
    used = f"{file.bytes / row.max_bytes:.0%}" if row.max_bytes < inf else ""
    problems = "; ".join([*output.problems, *second_look(file.path, row), *third_look(file.path, row)])
    given_up = "; ".join(output.given_up)
    return f"| {name} | {row.name} | {file.frames} | {used} | {output.ssim:.3f} | {given_up} | {problems} |"


def main() -> None:
    """Print the rows of the table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("names", nargs="*", default=list(RANGES))
    words.add_argument("--keep", type=Path, help="leave the stickers there")
    chosen = words.parse_args()
    segment = Loading(None, "auto", 16)
    with tempfile.TemporaryDirectory() as passing:
        folder = chosen.keep or Path(passing)
        folder.mkdir(exist_ok=True)
        stickers("short", SEVEN[:1], folder, segment)  # what is loaded once counts for nobody
        print("| clip | platform | frames | of the bytes | SSIM | given up | problems |")  # noqa: T201
        print("|---|---|---|---|---|---|---|")  # noqa: T201
        for name in chosen.names:
            _, plain = stickers(name, (), folder, segment)
            try:
                outputs, fitted = stickers(name, SEVEN, folder, segment)
                outputs += stickers(name, OTHERS, folder, segment)[0]
                cost = f"all of {', '.join(SEVEN)} cost {fitted / plain:.2f} times the plain sticker"
            except OutputError:
                outputs, cost = [], "not all of them take it"
                for platform in MOVING:
                    try:
                        outputs += stickers(name, (platform,), folder, segment)[0]
                    except OutputError as error:
                        print(f"| {name} | {platform} | | | | refused: {str(error).partition(': ')[2]} | |")  # noqa: T201
            for output in outputs:
                print(told(name, output), flush=True)  # noqa: T201
            print(f"| {name} | {cost} | | | | | |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
