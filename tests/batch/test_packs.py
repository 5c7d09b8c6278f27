import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from animecut._util.progress import Progress
from animecut.batch.jobs import plan_jobs
from animecut.batch.packs import number_stickers
from animecut.batch.runner import InProcess
from animecut.cli import main
from animecut.errors import SettingsError
from animecut.platforms.specs import check_file
from animecut.settings import Settings
from tests import world
from tests.cli.test_main import SeeingSegmenter

LINE = Settings(formats=(), platforms=("line",))


def stickers(count: int, settings: Settings = LINE) -> list[tuple[Path, Settings]]:
    return [(Path(f"{name}.mp4"), settings) for name in "hgfedcbazyxwvuts"[:count]]


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_for_each_platform_numbered_in_the_lists_order_with_its_icons(tmp_path: Path) -> None:
    both = replace(LINE, platforms=("line", "telegram"))
    alone = replace(LINE, platforms=("telegram",))
    wanted = [*stickers(7), (Path("both.mp4"), both), (Path("alone.mp4"), alone)]
    first, *_, eighth, last = number_stickers(wanted, tmp_path)
    assert [target.path.relative_to(tmp_path).as_posix() for target in first] == [
        "line/01.png", "line/main.png", "line/tab.png"
    ]  # fmt: skip
    assert [target.platform.name for target in first if target.platform] == ["line", "line-main", "line-tab"]
    assert [target.path.relative_to(tmp_path).as_posix() for target in eighth] == [
        "line/08.png", "telegram/01.webm", "telegram/icon.webm"
    ]  # fmt: skip
    assert [target.path.relative_to(tmp_path).as_posix() for target in last] == ["telegram/02.webm"]


def test_what_every_sticker_has_beside_it_has_its_number(tmp_path: Path) -> None:
    first, second, *_ = number_stickers(stickers(8, replace(LINE, platforms=("wechat",))), tmp_path)
    assert [target.path.relative_to(tmp_path / "wechat").as_posix() for target in second] == [
        "02.gif", "thumbnail/02.png"
    ]  # fmt: skip
    assert [target.path.name for target in first[2:]] == ["cover.png", "icon.png", "banner.png"]


@pytest.mark.parametrize(
    ("platform", "count", "says"),
    [
        ("whatsapp", 2, "whatsapp takes packs of 3 to 30 stickers, and the list has 2"),
        ("line", 9, "line takes packs of 8, 16 or 24 stickers, and the list has 9"),
    ],
)
def test_a_pack_has_the_size_that_its_platform_takes(tmp_path: Path, platform: str, count: int, says: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(says)):
        number_stickers(stickers(count, replace(LINE, platforms=(platform,))), tmp_path)


def test_the_odd_one_among_stills_or_moving_stickers_is_named(tmp_path: Path) -> None:
    discord = replace(LINE, platforms=("discord",))
    still = replace(discord, frame=0.5)
    with pytest.raises(SettingsError, match=r"no stills with moving stickers; stills \(frame\): odd.mp4"):
        number_stickers([*stickers(3, discord), (Path("x/odd.mp4"), still)], tmp_path)
    with pytest.raises(SettingsError, match=r"no stills \(no frame\): odd.mp4"):
        number_stickers([*stickers(3, still), (Path("odd.mp4"), discord)], tmp_path)
    assert not any(target.moves for each in number_stickers(stickers(3, still), tmp_path) for target in each)


def test_what_makes_no_pack_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="`platforms`"):
        number_stickers(stickers(1, Settings()), tmp_path)
    (tmp_path / "line").mkdir()
    (tmp_path / "line" / "09.png").touch()
    (tmp_path / "line" / "notes.txt").touch()
    with pytest.raises(SettingsError, match=r"09\.png: is no sticker of this list"):
        number_stickers(stickers(8), tmp_path)
    (tmp_path / "list.csv").write_text("file,out\na.mp4,b\n")
    with pytest.raises(SettingsError, match="`out`"):
        plan_jobs([tmp_path / "list.csv"], tmp_path, LINE, "", pack=True)
    for output in (None, tmp_path / "a.png"):
        with pytest.raises(SettingsError, match="name a folder with `output`"):
            plan_jobs([tmp_path / "a.mp4"], output, LINE, "", pack=True)


@pytest.fixture
def animecut(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("animecut.segmentation.segmenter.Segmenter", SeeingSegmenter)
    monkeypatch.setattr("animecut.batch.workers.ProcessPool", lambda load, *_, **__: InProcess(load(), Progress()))
    return lambda *words: CliRunner().invoke(main.app, [str(word) for word in words])


def test_one_line_makes_packs_that_the_platforms_take(animecut: Callable[..., Result], tmp_path: Path) -> None:
    world.write_clip(tmp_path / "walk.mp4", [rgb for rgb, _ in world.walking(3)])
    world.write_clip(tmp_path / "one.mp4", [world.drawing(90)[0]])
    (tmp_path / "list.csv").write_text(
        "file,start,end,emoji,title\nwalk.mp4,,0.15,😀,Walks\nwalk.mp4,,,👋,\nwalk.mp4,0.1,,,\n"
    )
    words = ["--for", "whatsapp,telegram-emoji", "--pack", "-o", tmp_path / "packs", "--matting", "none", "--preview"]
    done = animecut(tmp_path / "list.csv", *words)
    assert done.exit_code == 0, done.stderr
    made = [f"telegram-emoji/0{i}.webm" for i in (1, 2, 3)] + [f"whatsapp/0{i}.webp" for i in (1, 2, 3)]
    texts = [f"telegram-emoji/{name}.txt" for name in ("author", "emoji", "title")]
    whatsapp = ["whatsapp.wastickers", "whatsapp/contents.json", "whatsapp/tray.png"]
    assert names(tmp_path / "packs") == sorted(["packs.html", "report.jsonl", *made, *texts, *whatsapp])
    assert "whatsapp.wastickers: 3 stickers of 'Walks' by unknown" in done.stderr
    assert "whatsapp: no `emoji` in the list for 03.webp" in done.stderr
    assert json.loads((tmp_path / "packs" / "telegram-emoji" / "emoji.txt").read_text())["02"] == "👋"
    for name in made:
        assert check_file(tmp_path / "packs" / name, name.split("/")[0]) == []
    assert check_file(tmp_path / "packs" / "whatsapp" / "tray.png", "whatsapp-tray") == []
    with Image.open(tmp_path / "packs" / "whatsapp" / "02.webp") as image:
        assert getattr(image, "n_frames", 1) == 3  # so numbers follow the list

    (tmp_path / "list.csv").write_text("file\nwalk.mp4\none.mp4\n")
    odd = animecut(
        tmp_path / "list.csv", "--for", "discord-emoji", "--pack", "-o", tmp_path / "more", "--matting", "none"
    )
    assert odd.exit_code == 1
    assert "one.mp4: discord-emoji takes at least 2 drawings and there is 1" in odd.stderr
    assert "discord-emoji/02.webp: a pack mixes no stills" in odd.stderr
    assert names(tmp_path / "more") == ["discord-emoji/01.webp", "report.jsonl"]
