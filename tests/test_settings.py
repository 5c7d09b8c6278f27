import pytest

from animecut.errors import SettingsError
from animecut.settings import Run, Settings, change


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"start": 2.0, "end": 1.0}, "end"),
        ({"end": 0.0}, "end"),
        ({"start": -1.0}, "start"),
        ({"formats": ("bmp",)}, "formats"),
        ({"size": 3}, "size"),
        ({"fps": 0.0}, "fps"),
        ({"steady": 1.1}, "steady"),
        ({"margin": 300}, "margin"),
        ({"matting": "magic"}, "matting"),
        ({"loop": -1}, "loop"),
        ({"canvas": (413, 5)}, "canvas"),
        ({"outline": 101}, "outline"),
        ({"max_bytes": 10}, "max_bytes"),
        ({"max_seconds": 0.0}, "max_seconds"),
        ({"max_seconds": 1.0, "formats": ("png",)}, "max_seconds"),
        ({"first": -1.0}, "first"),
        ({"outline": 90, "size": 200}, "margin"),
        ({"speed": 0.0}, "speed"),
        ({"caption_at": "left"}, "caption_at"),
        ({"caption": "x" * 501}, "caption"),
        ({"follow": True, "crop": False}, "follow"),
        ({"frame": 1.0, "start": 0.5}, "frame"),
        ({"too_long": "never"}, "too_long"),
        ({"max_bytes": 9000, "formats": ("sheet",)}, "max_bytes"),
        ({"quality": 0}, "quality"),
        ({"batch_size": 0}, "batch_size"),
        ({"max_source_side": 0}, "max_source_side"),
    ],
)
def test_values_that_cannot_be_meant_name_their_field(words: dict[str, object], field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**words)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert str(caught.value).startswith(f"`{field}`")
    assert "--" not in str(caught.value)


def test_a_run_names_its_field_and_value() -> None:
    with pytest.raises(SettingsError, match=r"^`max_memory` 0\.1: must be at least 0.5 GB") as caught:
        Run(max_memory=0.1)
    assert (caught.value.field, caught.value.value) == ("max_memory", 0.1)


def test_the_canvas_bounds_the_sticker_and_else_the_size() -> None:
    assert Settings(canvas=(413, 531)).bounds == (531, 413)
    assert Settings(size=320).bounds == (320, 320)


def test_a_change_keeps_what_it_does_not_name() -> None:
    base = Settings(start=1.0, formats=("gif",))
    assert change(base, {"size": (531, (413, 531))}, None) == Settings(
        1.0, formats=("gif",), size=531, canvas=(413, 531)
    )
    assert change(base, {"frame": 2.0, "start": None, "formats": ("png",)}, None).formats == ("apng",)
