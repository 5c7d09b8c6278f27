"""Runs on a Ray cluster of several nodes, all of them on this machine; without Ray, what is said then."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from animecut.batch import run as run_setup
from animecut.cli import main
from tests import rotten, world
from tests.batch.test_runner import TOOL, files, lines

ROOT = Path(__file__).parents[2]
SMALL = 80 * 2**20  # bytes of a node's object store; Ray takes no less, and clips are not in there
SOON = {"health_check_period_ms": 1000}  # that a node is dead is known after five of them
CLIPS = 24


def test_without_ray_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write_clip(tmp_path / "one.mp4", [world.drawing(80)[0]])
    monkeypatch.setattr(run_setup, "find_spec", lambda name: None)
    done = CliRunner().invoke(main.app, [str(tmp_path), "--ray", "local"])
    assert done.exit_code == 2
    assert done.stderr == "error: --ray: needs it installed; pip install 'animecut[ray]'\n"
    assert files(tmp_path) == ["one.mp4"]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Three nodes; the last one may be killed."""
    pytest.importorskip("ray", reason="pip install 'animecut[ray]'")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # of the workers: tests.rotten is in there
    about = {"num_cpus": 1, "num_gpus": 1, "object_store_memory": SMALL, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=about | {"_system_config": SOON})
    try:
        for _ in range(2):
            nodes.add_node(num_cpus=1, num_gpus=1, object_store_memory=SMALL)
        yield nodes
    finally:
        nodes.shutdown()


def begin(clips: Path, out: Path, *words: str) -> subprocess.Popen[str]:
    words = (str(clips), "-o", str(out), "--size", "64", *words)
    return subprocess.Popen([sys.executable, "-c", TOOL, *words], cwd=ROOT, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Ray leaves its logs open
def test_a_node_that_dies_costs_nothing(cluster: Any, tmp_path: Path) -> None:  # noqa: ANN401 (Ray's)
    clips, out, plain = (tmp_path / name for name in ("clips", "out", "plain"))
    (clips / "a").mkdir(parents=True)
    for i in range(CLIPS):
        drawings = [world.drawing(50 + (7 * i + 20 * j) % 150)[0] for j in range(8)]
        world.write_clip(clips / ("a" if i % 2 else "") / f"{i:02}.mp4", drawings)
    world.write_clip(clips / "a_crash.mp4", [rotten.picture(rotten.CRASH)])
    assert begin(clips, plain, "--jobs", "1", "--quiet").wait() == 1
    run = begin(clips, out, "--ray", cluster.address)
    while run.poll() is None and len(lines(out) if (out / "report.jsonl").exists() else []) < CLIPS // 2:
        time.sleep(0.1)
    assert run.poll() is None, run.communicate()
    lost = cluster.worker_nodes.copy().pop()
    (raylet,) = lost.all_processes["raylet"]
    workers = psutil.Process(raylet.process.pid).children(recursive=True)
    at_work = [process for process in workers if "spawn_main" in " ".join(process.cmdline())]
    for process in workers:  # a machine without power says no goodbye
        process.kill()
    cluster.remove_node(lost, allow_graceful=False)
    _, said = run.communicate(timeout=300)
    assert at_work, "the node did nothing"
    assert run.returncode == 1, said
    told = [str(line["input"]) for line in lines(out)]
    assert sorted(told) == sorted(set(told)) == sorted(str(path) for path in clips.rglob("*.mp4"))
    (failed,) = (line for line in lines(out) if line["error"])
    assert "crashed its worker (SIGSEGV)" in str(failed["error"])
    assert {line["tries"] for line in lines(out) if not line["error"]} == {1, 2}, said  # it had a clip in hand
    assert files(out) == files(plain)
    for name in set(files(plain)) - {"report.jsonl"}:
        assert (out / name).read_bytes() == (plain / name).read_bytes()
