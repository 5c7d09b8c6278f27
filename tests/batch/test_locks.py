import subprocess
import sys
import threading
from pathlib import Path

from animecut.batch.locks import OutputLocks, is_begun


def test_one_at_a_time_and_nothing_is_left(tmp_path: Path) -> None:
    target = tmp_path / "a.webp"
    first = OutputLocks.take([target])
    assert first
    assert OutputLocks.take([tmp_path / "b.webp", target]) is None
    first.begin()
    assert is_begun(target)
    first.release()
    assert not list(tmp_path.iterdir())
    again = OutputLocks.take([target])
    assert again
    assert not again.is_left_over(target)
    again.release()


def test_another_process_is_kept_out_and_a_killed_one_is_known_to_have_begun(tmp_path: Path) -> None:
    target = tmp_path / "a.webp"
    code = (
        "import sys; from pathlib import Path; from animecut.batch.locks import OutputLocks\n"
        "locks = OutputLocks.take([Path(sys.argv[1])]); locks.begin(); print('begun', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(target)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "begun\n"
        assert OutputLocks.take([target]) is None
        other.kill()
    mine = OutputLocks.take([target])
    assert mine
    assert mine.is_left_over(target)
    mine.release()
    assert not is_begun(target)


def test_takers_and_removers_do_not_meet_in_one_output(tmp_path: Path) -> None:
    """A lock that its owner removes while others open it is never held by two."""
    target = tmp_path / "a.webp"
    inside, most, taken = [0], [0], [0]
    guard = threading.Lock()

    def work() -> None:
        for _ in range(150):
            if locks := OutputLocks.take([target]):
                with guard:
                    inside[0] += 1
                    taken[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1
                locks.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken[0] > 100
    assert most[0] == 1
