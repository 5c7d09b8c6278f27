import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from animecut._util import concurrency
from animecut._util.concurrency import (
    Threads,
    available_cores,
    in_main_thread,
    limit_cores,
    parallel_map,
    run_in_thread,
)


def count_to(end: int, made: list[int], closed: list[str]) -> Generator[int]:
    try:
        for i in range(end):
            made.append(i)
            yield i
    finally:
        closed.append(threading.current_thread().name)


def others() -> set[threading.Thread]:
    return set(threading.enumerate()) - {threading.main_thread()}


@pytest.fixture(autouse=True)
def _nothing_runs_on() -> Iterator[None]:
    before = others()
    yield
    assert others() <= before


def until(holds: object) -> None:
    """Wait for what another thread does; give up after ten seconds."""
    for _ in range(1000):
        if holds():  # type: ignore[operator]
            return
        time.sleep(0.01)
    raise AssertionError


def test_items_come_in_order_and_are_closed_in_the_thread_that_made_them() -> None:
    made: list[int] = []
    closed: list[str] = []
    with Threads() as threads:
        assert list(threads.ahead(count_to(50, made, closed))) == list(range(50))
    assert len(closed) == 1
    assert closed != [threading.current_thread().name]


@pytest.mark.parametrize("depth", [1, 3])
def test_no_more_than_so_many_wait(depth: int) -> None:
    made: list[int] = []
    with Threads() as threads:
        items = threads.ahead(count_to(50, made, []), depth)
        until(lambda: len(made) == depth)
        assert next(items) == 0
        until(lambda: len(made) == depth + 1)
        time.sleep(0.05)
        assert len(made) == depth + 1


def test_an_error_comes_behind_the_items_before_it() -> None:
    def broken() -> Generator[int]:
        yield 1
        raise ValueError("two")

    with Threads() as threads:
        items = threads.ahead(broken())
        assert next(items) == 1
        with pytest.raises(ValueError, match="two"):
            next(items)


def test_leaving_ends_every_thread_of_a_chain_wherever_it_waits() -> None:
    closed: list[str] = []

    def slow(items: Iterator[int]) -> Generator[int]:
        yield next(items)
        time.sleep(0.1)
        yield from items

    def stopped() -> None:
        with Threads() as threads:
            numbers = threads.ahead(count_to(10**6, [], closed))
            through = threads.ahead(slow(numbers))
            last = threads.ahead(i for i in through)
            assert next(last) == 0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert len(closed) == 1


def test_a_function_runs_on_several_items_at_once_and_keeps_their_order() -> None:
    both = threading.Barrier(2, timeout=10)

    def square(i: int) -> int:
        both.wait()  # passes only where two are at it
        return i * i

    assert list(parallel_map(square, range(10), workers=2)) == [i * i for i in range(10)]


def test_items_are_taken_only_a_few_ahead() -> None:
    made: list[int] = []
    results = parallel_map(str, count_to(100, made, []), workers=2)
    assert next(results) == "0"
    assert len(made) == 4
    results.close()


def test_an_error_in_the_function_is_the_callers_and_ends_the_rest() -> None:
    def odd(i: int) -> int:
        if i == 3:
            raise ValueError("three")
        return i

    results = parallel_map(odd, iter(range(1000)), workers=3)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_soon_waits_and_raises() -> None:
    before = others()
    assert run_in_thread(lambda: 3).result() == 3
    with pytest.raises(ZeroDivisionError):
        run_in_thread(lambda: 1 // 0).result()
    until(lambda: others() <= before)


@pytest.mark.parametrize(
    ("words", "left"), [("max 100000", 8), ("250000 100000", 3), ("1000 100000", 1), ("", 8), (None, 8)]
)
def test_a_containers_quota_and_a_workers_share_are_kept(
    words: str | None, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if words is not None:
        (tmp_path / "cpu.max").write_text(words + "\n")
    monkeypatch.setattr(concurrency, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(concurrency, "_shares", [])
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert available_cores() == left
    limit_cores(2)
    assert available_cores() == min(left, 2)
    limit_cores(0)
    assert available_cores() == 1


def test_the_interpreter_ends_after_what_a_thread_loads() -> None:
    code = "import time\nfrom animecut._util.concurrency import run_in_thread\n"
    code += "run_in_thread(lambda: (time.sleep(0.3), print('loaded', flush=True)))\nprint('end', flush=True)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["end", "loaded"]


def test_only_the_main_thread_says_what_signals_do() -> None:
    assert in_main_thread()
    assert not run_in_thread(in_main_thread).result()
