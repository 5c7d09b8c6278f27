import json
from pathlib import Path

import pytest

from animecut.batch.jobs import Job, folder_of, plan_jobs
from animecut.errors import AnimecutError, SettingsError
from animecut.settings import OF_THE_RUN, Settings, formats_for


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name in ("one.mp4", "a/two.mp4", "a/b/three.GIF", "notes.txt"):
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "clips"


def names(jobs: list[Job], folder: Path) -> dict[str, list[str]]:
    return {job.source.name: [target.path.relative_to(folder).as_posix() for target in job.targets] for job in jobs}


def test_folders_are_mirrored_and_patterns_too(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    mirrored = {"two.mp4": ["a/two.webp"], "three.GIF": ["a/b/three.webp"]}
    assert names(plan_jobs([clips], out, Settings(), ""), out) == {"one.mp4": ["one.webp"]} | mirrored
    assert names(plan_jobs([clips / "**" / "*.mp4"], out, Settings(), ""), out) == {
        "one.mp4": ["one.webp"], "two.mp4": ["a/two.webp"]
    }  # fmt: skip
    assert names(plan_jobs([clips / "a" / "t*.mp4"], None, Settings(), ""), clips) == {"two.mp4": ["a/two.webp"]}
    with pytest.raises(SettingsError, match="no videos"):
        plan_jobs([clips / "*.mkv"], out, Settings(), "")
    with pytest.raises(SettingsError, match=r"\*\*\.mp4: \*\* stands alone .* write \*\*/\*\.mp4"):
        plan_jobs([clips / "**.mp4"], out, Settings(), "")


@pytest.mark.parametrize("name", ["[Sub] Show", "My**Show"])
def test_signs_of_a_folder_that_is_there_are_no_pattern(name: str, clips: Path, tmp_path: Path) -> None:
    show = (clips / "a").rename(clips / name)
    assert folder_of(show / "two.mp4") == folder_of(show / "*.mp4") == show
    found = names(plan_jobs([show / "*.mp4"], tmp_path, Settings(), ""), tmp_path)
    assert found == {"two.mp4": ["two.webp"]}


def test_stickers_are_no_inputs(clips: Path) -> None:
    (clips / "one.webp").touch()
    jobs = plan_jobs([clips], None, Settings(), "", is_ours=lambda path: path.suffix == ".webp")
    assert len(jobs) == 3


def test_copies_of_stickers_for_xcode_are_no_inputs(clips: Path) -> None:
    copies = clips / "packs" / "imessage.xcassets" / "Sticker Pack.stickerpack" / "01.sticker"
    copies.mkdir(parents=True)
    (copies / "01.png").touch()
    assert len(plan_jobs([clips], None, Settings(), "")) == 3


def test_inputs_that_differ_in_their_suffix_alone_keep_it(clips: Path, tmp_path: Path) -> None:
    (clips / "one.gif").touch()
    (clips / "one.mkv").touch()
    found = names(plan_jobs([clips], tmp_path, Settings(), ""), tmp_path)
    assert (found["one.gif"], found["one.mkv"], found["one.mp4"]) == (["one.webp"], ["one_mkv.webp"], ["one_mp4.webp"])
    assert len(plan_jobs([clips / "one.mp4", clips / "one.mp4", clips], tmp_path, Settings(), "")) == 5


def test_no_input_is_written_over_by_another(clips: Path, tmp_path: Path) -> None:
    (clips / "one.webp").touch()
    found = names(plan_jobs([clips], None, Settings(), ""), clips)
    assert found["one.mp4"] == ["one_mp4.webp"]
    assert found["one.webp"] == ["one_cut.webp"]
    (clips / "one_mp4.webp").touch()
    with pytest.raises(SettingsError, match=r"one_mp4.webp: is an input, and .*one.mp4 would become it"):
        plan_jobs([clips], None, Settings(), "")
    assert len(plan_jobs([clips], tmp_path / "out", Settings(), "")) == 5


@pytest.mark.parametrize("name", ["clip", "packs", "x" * 300])
def test_what_may_not_be_looked_at_is_as_if_it_were_not_there(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    (job,) = plan_jobs([tmp_path / name], tmp_path / "locked" / "x.webp", Settings(), "")
    assert job.targets[0].path.name == "x.webp"


def test_a_recipe_depends_on_the_picture_behind(clips: Path, tmp_path: Path) -> None:
    ground = tmp_path / "ground.png"
    recipes = set()
    for content in (b"one", b"two"):
        ground.write_bytes(content)
        (job,) = plan_jobs([clips / "one.mp4"], None, Settings(background=str(ground)), "")
        recipes.add(job.recipe)
    assert len(recipes) == 2


def test_a_list_gives_every_input_its_own_options(clips: Path, tmp_path: Path) -> None:
    rows = "file,start,end,out,format,size,keep-effects,for\n"
    rows += 'one.mp4,1:02.5,63,,"gif,apng",64,yes,\na/two.mp4,,,x/hi.gif,,,,\na/b/three.GIF,,,,,,,telegram\n'
    (clips / "list.csv").write_text(rows)
    first, second, third = plan_jobs([clips / "list.csv"], tmp_path / "out", Settings(margin=3), "w")
    assert names([first, second], tmp_path / "out") == {
        "one.mp4": ["one_62.5-63.gif", "one_62.5-63.png"], "two.mp4": ["x/hi.gif"]
    }  # fmt: skip
    assert first.settings == Settings(62.5, 63.0, ("gif", "apng"), size=64, keep_effects=True, margin=3)
    (clips / "exact.csv").write_text("file,size,frame,format\none.mp4,40x32,0.5,png\n")
    (exact,) = plan_jobs([clips / "exact.csv"], tmp_path / "out", Settings(), "w")
    assert exact.settings == Settings(size=40, canvas=(40, 32), frame=0.5, formats=("apng",))
    assert second.settings == Settings(formats=("gif",), margin=3)
    assert third.settings == Settings(formats=(), platforms=("telegram",), margin=3)
    assert len({first.recipe, second.recipe, third.recipe}) == 3
    as_json = [{"file": "one.mp4", "start": 62.5, "end": "63", "format": "gif,apng", "size": 64, "keep-effects": True}]
    (clips / "list.json").write_text(json.dumps(as_json))
    assert plan_jobs([clips / "list.json"], tmp_path / "out", Settings(margin=3), "w") == [first]


@pytest.mark.parametrize(
    ("asked", "row", "made"),
    [
        ("", "file,frame\none.mp4,0.5", "one_0.5.png"),
        ("gif", "file,frame\none.mp4,0.5", "one_0.5.gif"),
        ("webp", "file,frame\none.mp4,0.5", "one_0.5.webp"),
        ("png,gif", "file,frame\none.mp4,0.5", "one_0.5.png; one_0.5.gif"),
        ("", "file,out\none.mp4,x", "x/one.webp"),
        ("gif", "file,out\none.mp4,x", "x/one.gif"),
        ("gif", "file,out\none.mp4,Season 1.5", "Season 1.5/one.gif"),
        ("gif", "file,out\none.mp4,x.webm", "x.webm"),
        ("", "file,for\none.mp4,telegram", "one.telegram.webm"),
        ("gif", "file,for\none.mp4,telegram", "one.gif; one.telegram.webm"),
        ("gif", "file,for,out\none.mp4,telegram,x.webm", "x.webm"),
    ],
)
def test_a_line_without_a_format_has_the_command_lines(
    clips: Path, tmp_path: Path, asked: str, row: str, made: str
) -> None:
    (clips / "list.csv").write_text(row)
    run = Settings(formats=formats_for(asked.split(",") if asked else (), None, False))
    jobs = plan_jobs([clips / "list.csv"], tmp_path, run, "w")
    assert names(jobs, tmp_path) == {"one.mp4": made.split("; ")}


def test_every_setting_of_an_input_can_be_given_in_a_list(clips: Path) -> None:
    texts = {"start": "1", "end": "2", "formats": "gif", "platforms": "line", "fps": "12", "size": "99", "loop": "3"}
    texts |= {"frame": "3", "outline": "2", "outline_color": "red", "caption": "hi", "caption_at": "top", "speed": "2"}
    texts |= {"first": "2", "max_bytes": "9k", "max_seconds": "3", "too_long": "thin"}
    texts |= {
        "font": "a.ttf",
        "pick": "left",
        "matting": "none",
        "steady": "0.25",
        "margin": "1",
        "background": "white",
        "quality": "9",
    }
    for name, value in vars(Settings()).items():
        if name in OF_THE_RUN | {"canvas"}:  # --size WxH is both size and canvas
            continue
        text = texts.get(name, str(not value).lower() if isinstance(value, bool) else None)
        assert text, f"{name}: tell this test how it is written in a list"
        column = {"formats": "format", "platforms": "for"}.get(name, name.replace("_", "-"))
        (clips / "list.csv").write_text(f"file,{column}\none.mp4,{text}\n")
        (job,) = plan_jobs([clips / "list.csv"], None, Settings(), "")
        assert getattr(job.settings, name) != value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no input"),
        ("clip\none.mp4\n", "file"),
        ("file,size\none.mp4,9\n", "input 1: column size 9"),
        ("file,size\none.mp4,64\none.mp4,big\n", "input 2: column size: .big. is no size"),
        ("file,weights\none.mp4,w\n", "weights"),
        ("file,canvas\none.mp4,100x100\n", "'canvas' is no option"),
        ("file,crop\none.mp4,perhaps\n", "crop"),
        ("file\n../clips/../../secret.mp4\n", "does not lie inside"),
        ("file\n/etc/passwd\n", "does not lie inside"),
        ("file,out\none.mp4,../hi.gif\n", "does not lie inside"),
        ("file,background\none.mp4,/etc/passwd\n", "does not lie inside"),
        ("file,font\none.mp4,../x.ttf\n", "does not lie inside"),
        ("file,out\none.mp4,hi.bmp\n", "hi.bmp"),
        ("file\nlink/x.mp4\n", "does not lie inside"),
        ("file\none.mp4,too,many\n", "more values"),
        ("file,size\none.mp4,64\none.mp4,65\n", "both become"),
        ('file\n"one.mp4\n', "no CSV"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_in_words(clips: Path, tmp_path: Path, text: str, says: str) -> None:
    (clips / "link").symlink_to(tmp_path.parent)
    (clips / "list.csv").write_text(text)
    with pytest.raises(SettingsError, match=says) as caught:
        plan_jobs([clips / "list.csv"], tmp_path / "out", Settings(), "")
    assert "\n" not in str(caught.value)


SPREADSHEETS = {
    "semicolons and decimal commas": "file;start;end;pick\r\none.mp4;1,5;2,25;3,4\r\n",
    "tabs": "file\tstart\tend\tpick\none.mp4\t1.5\t2.25\t3,4\n",
    "capitals and blanks": 'File, START ,End,Pick\none.mp4 , 1.5,2.25," 3,4"\n',
    "empty rows and columns": '\r\nfile,start,end,pick,,\r\n,,,,,\r\none.mp4,1.5,2.25,"3,4",,\r\n,,,,,\r\n',
    "a line that says what separates": "sep=;\r\nfile;start;end;pick\r\none.mp4;1,5;2,25;3,4\r\n",
    "carriage returns": 'file,start,end,pick\rone.mp4,1.5,2.25,"3,4"\r',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_a_list_is_read_as_spreadsheets_write_it(clips: Path, text: str, encoding: str) -> None:
    (clips / "list.csv").write_bytes(text.encode(encoding))
    (job,) = plan_jobs([clips / "list.csv"], None, Settings(), "")
    assert job.source == clips / "one.mp4"
    assert job.settings == Settings(start=1.5, end=2.25, pick="3,4", formats=job.settings.formats)


def test_headings_may_be_written_with_blanks_and_lines(clips: Path) -> None:
    (clips / "list.tsv").write_text("FILE\tKeep Effects\tMax_Seconds\none.mp4\tYES\t2,5\n")
    (job,) = plan_jobs([clips / "list.tsv"], None, Settings(), "")
    assert (job.settings.keep_effects, job.settings.max_seconds) == (True, 2.5)


def test_every_kind_of_file_that_can_be_read_is_found_in_a_folder(tmp_path: Path) -> None:
    known = "cam.MTS disc.m2ts dvd.vob phone.3gp old.ogv still.avif p.jfif a.m2t b.f4v c.asf d.mpe f.y4m g.HEIC h.tiff"
    for name in [*known.split(), "notes.txt", "sound.mp3", "sub.ass"]:
        (tmp_path / name).touch()
    assert sorted(job.source.name for job in plan_jobs([tmp_path], None, Settings(), "")) == sorted(known.split())


def test_what_systems_leave_in_a_folder_is_not_meant(tmp_path: Path) -> None:
    left = "._a.mp4 .hidden.mp4 __MACOSX/._a.mp4 .Trash-1000/b.mp4 .Trashes/c.mp4 @eaDir/a.mp4/SHOT.jpg #recycle/d.mp4"
    show = tmp_path / ".cache" / "show"  # the folder that is named is meant, wherever it lies
    for name in ["a.mp4", "sub/b.mp4", *left.split(), "$RECYCLE.BIN/e.mp4", "System Volume Information/f.mp4"]:
        (show / name).parent.mkdir(parents=True, exist_ok=True)
        (show / name).touch()
    for path in (show, show / "**" / "*.*"):
        found = [job.source.relative_to(show).as_posix() for job in plan_jobs([path], None, Settings(), "")]
        assert found == ["a.mp4", "sub/b.mp4"]
    (job,) = plan_jobs([show / ".hidden.mp4"], None, Settings(), "")
    assert job.source.name == ".hidden.mp4"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("https://example.org/clip.mp4", "download it first"),
        ("rtsp://camera/1", "download it first"),
        ("file:///tmp/clip.mp4", "give the path alone"),
    ],
)
def test_an_address_is_refused_in_words(address: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        plan_jobs([Path(address)], None, Settings(), "")


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"{}", b"[1]", b'[{"file": "f\\ud800.mp4"}]', b"[" * 100_000, b'[{"file": 3}]', b"[]"]
)
def test_a_json_list_that_is_none_is_refused_in_words(clips: Path, data: bytes) -> None:
    (clips / "list.json").write_bytes(data)
    with pytest.raises(AnimecutError) as caught:
        plan_jobs([clips / "list.json"], None, Settings(), "")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "made"), [("frame_%04d.png", "frame.webp"), ("%d.png", "frames.webp")])
def test_numbered_pictures_lend_their_name_without_the_number(tmp_path: Path, name: str, made: str) -> None:
    assert names(plan_jobs([tmp_path / name], None, Settings(fps=24), ""), tmp_path) == {name: [made]}
