import pytest

from animecut.errors import SettingsError
from animecut.settings import Settings, parse_time


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
        ({"formats": ()}, "--format"),
        ({"formats": ("bmp",)}, "--format"),
        ({"size": 3}, "--size"),
        ({"fps": 0.0}, "--fps"),
        ({"steady": 1.1}, "--steady"),
        ({"margin": 300}, "--margin"),
        ({"matting": "magic"}, "--matting"),
        ({"loop": -1}, "--loop"),
        ({"quality": 0}, "--quality"),
        ({"batch_size": 0}, "--batch-size"),
    ],
)
def test_values_that_cannot_be_meant_name_their_option(words: dict[str, object], option: str) -> None:
    with pytest.raises(SettingsError, match=option):
        Settings(**words)  # type: ignore[arg-type]
