import pytest

from animecut.errors import SettingsError
from animecut.settings import Settings, parse_bytes, parse_size, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"), [("12.3", 12.3), ("0", 0), ("1:02.5", 62.5), ("1:00:02", 3602), (" 7 ", 7)]
)
def test_times_are_seconds_or_clock_times(text: str, seconds: float) -> None:
    assert parse_time(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "a", "-1", "1:60", "1:2:3:4", "1.5:02", "nan", "inf", "1:-2", ":5"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=r"12\.3"):
        parse_time(text)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ({"start": 2.0, "end": 1.0}, "--end"),
        ({"end": 0.0}, "--end"),
        ({"start": -1.0}, "--start"),
        ({"formats": ("bmp",)}, "--format"),
        ({"size": 3}, "--size"),
        ({"fps": 0.0}, "--fps"),
        ({"steady": 1.1}, "--steady"),
        ({"margin": 300}, "--margin"),
        ({"matting": "magic"}, "--matting"),
        ({"loop": -1}, "--loop"),
        ({"canvas": (413, 5)}, "--size"),
        ({"outline": 101}, "--outline"),
        ({"max_bytes": 10}, "--max-bytes"),
        ({"max_seconds": 0.0}, "--max-seconds"),
        ({"max_seconds": 1.0, "formats": ("png",)}, "not for png"),
        ({"first": -1.0}, "--first"),
        ({"outline": 90, "size": 200}, "--outline"),
        ({"speed": 0.0}, "--speed"),
        ({"caption_at": "left"}, "--caption-at"),
        ({"follow": True, "crop": False}, "--follow"),
        ({"frame": 1.0, "start": 0.5}, "--frame"),
        ({"quality": 0}, "--quality"),
        ({"batch_size": 0}, "--batch-size"),
    ],
)
def test_values_that_cannot_be_meant_name_their_option(words: dict[str, object], option: str) -> None:
    with pytest.raises(SettingsError, match=option):
        Settings(**words)  # type: ignore[arg-type]


def test_a_size_is_a_longer_side_or_both() -> None:
    assert parse_size("512") == (512, None)
    assert parse_size("413x531") == (531, (413, 531))
    assert Settings(canvas=(413, 531)).bounds == (531, 413)
    assert Settings(size=320).bounds == (320, 320)
    for words in ("", "x", "4x", "axb", "1x2x3", "-5", "12.5"):
        with pytest.raises(SettingsError, match="413x531"):
            parse_size(words)


@pytest.mark.parametrize(
    ("text", "count"), [("500000", 500_000), ("500k", 500_000), ("1.5M", 1_500_000), (" 256 kB", 256_000)]
)
def test_bytes_have_units(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "k", "many", "1G", "inf", "nan"])
def test_what_is_no_number_of_bytes_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match="500k"):
        parse_bytes(text)
