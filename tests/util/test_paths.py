from pathlib import Path

from animecut._util.paths import fits, hidden_beside


def test_a_hidden_name_beside_a_file_fits_wherever_the_files_does() -> None:
    assert hidden_beside(Path("in/x.webp"), ".lock") == Path("in/.x.webp.lock")
    names = [Path("in") / f"{letter * count}.webp" for letter, count in (("x", 250), ("y", 250), ("\u3042", 83))]
    hidden = [hidden_beside(name, ".12345678.part") for name in names]
    assert all(map(fits, names + hidden))
    assert len(set(hidden)) == 3
    assert all(path.parent == Path("in") and path.name[0] == "." and path.suffix == ".part" for path in hidden)
    assert not fits(Path("in") / ("x" * 256))
