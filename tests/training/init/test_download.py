import hashlib
import io
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from animecut_training.init import download
from animecut_training.init.download import PUBLISHED, Published, fetch

from animecut.errors import WeightsError

CONTENT = b"weights" * 1000
FILE = Published("https://example.org/v1/net-abc.pth", hashlib.sha256(CONTENT).hexdigest()[:8])


class Answer(io.BytesIO):
    """As http.client answers."""

    def __init__(self, content: bytes, told: int = len(CONTENT)) -> None:
        super().__init__(content)
        self.headers = {"Content-Length": str(told)}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def answer(url: str, timeout: float) -> Answer:
        asked.append(url)
        return Answer(CONTENT)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    return asked


def test_a_file_is_downloaded_once(tmp_path: Path, served: list[str]) -> None:
    for _ in range(2):
        assert fetch(FILE, tmp_path / "cache").read_bytes() == CONTENT
    assert served == [FILE.url]
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["net-abc.pth"]


def test_another_file_than_the_published_one_is_never_kept(tmp_path: Path, served: list[str]) -> None:
    other = Published(FILE.url, "00000000")
    with pytest.raises(WeightsError, match="not 00000000"):
        fetch(other, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "net-abc.pth").write_bytes(b"put there by hand, and cut short")
    with pytest.raises(WeightsError, match=r"net-abc\.pth: sha256"):
        fetch(FILE, tmp_path)


def test_offline_it_says_which_file_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(url: str, timeout: float) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(WeightsError) as told:
        fetch(FILE, tmp_path)
    assert str(told.value).startswith(FILE.url)
    assert str(told.value).endswith(f"put that file at {tmp_path / 'net-abc.pth'}")
    assert list(tmp_path.iterdir()) == []


def test_everything_published_is_asked_for_over_tls_by_the_digest_in_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for file in PUBLISHED.values():
        assert file.url.startswith("https://")
        assert file.url.removesuffix(".pth").endswith(file.sha256)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert download.cache_folder() == Path("/somewhere/animecut")


def test_what_breaks_off_is_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: Answer(CONTENT[:100]))
    with pytest.raises(WeightsError, match="broken off after 100 of 7000 bytes"):
        fetch(Published(FILE.url), tmp_path)
    assert list(tmp_path.iterdir()) == []
