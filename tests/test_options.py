import pytest

from animecut.errors import SettingsError
from animecut.options import choices, parse_bytes, parse_names, parse_size, parse_time, rename
from animecut.settings import Settings


@pytest.mark.parametrize(
    ("text", "seconds"), [("12.3", 12.3), ("0", 0), ("1:02.5", 62.5), ("1:00:02", 3602), (" 7 ", 7)]
)
def test_times_are_seconds_or_clock_times(text: str, seconds: float) -> None:
    assert parse_time(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "a", "-1", "1:60", "1:2:3:4", "1.5:02", "nan", "inf", "1:-2", ":5"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=r"12\.3"):
        parse_time(text)


def test_a_size_is_a_longer_side_or_both() -> None:
    assert parse_size("512") == (512, None)
    assert parse_size("413x531") == (531, (413, 531))
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


def test_names_come_once_each() -> None:
    assert parse_names("webp, gif,webp") == ("webp", "gif")


def test_a_field_has_a_long_name_and_its_parser_names_it() -> None:
    by_field = {choice.field: choice for choice in choices(Settings)}
    assert [by_field[field].name for field in ("platforms", "keep_effects", "size")] == ["for", "keep-effects", "size"]
    assert by_field["end"].parse("1:02") == 62
    with pytest.raises(SettingsError, match=r"^`end`: 'soon' is no time") as caught:
        by_field["end"].parse("soon")
    assert caught.value.field == "end"


def test_every_setting_but_the_canvas_has_words() -> None:
    assert set(vars(Settings())) - {choice.field for choice in choices(Settings)} == {"canvas"}


def test_a_message_is_renamed_only_where_a_name_is_known() -> None:
    names = {"start": "--start"}
    assert rename("try `start`, see `ray start` or `end`, not start", names) == (
        "try --start, see `ray start` or `end`, not start"
    )
