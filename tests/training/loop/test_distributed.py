import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from animecut_training.loop import distributed

from animecut.segmentation import weights
from animecut.segmentation.weights import Architecture, PSPNet

ROOT = Path(__file__).parents[3]


def trained(folder: Path, out: Path, processes: int) -> tuple[weights.Network, list[float], str]:
    """The network, the losses and what was told of a run that torchrun starts."""
    start = (
        ["torch.distributed.run", f"--nproc-per-node={processes}", "-m", "animecut_training"]
        if processes > 1
        else ["animecut_training"]
    )
    words = ["fit", str(folder), "--out", str(out), "--init", str(folder.parent / "tiny.safetensors"), "--steps", "4"]
    done = subprocess.run(
        [sys.executable, "-m", *start, *words, "--batch-size", "8", "--device", "cpu"],
        capture_output=True, text=True, cwd=ROOT, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},  # as torchrun has it: the order of sums turns small gradients round
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    return weights.load(out / "model.safetensors")[0], [one["total"] for one in lines], done.stdout


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    """The same two parts of four pictures, one after the other or side by side."""
    torch.manual_seed(0)
    weights.save(PSPNet(Architecture(width=8, decoder=(8,))), tmp_path / "tiny.safetensors", {})
    for i in range(3):
        mask = np.asarray(cv2.circle(np.zeros((60, 80), np.uint8), (20 + 20 * i, 30), 14, 255, -1))
        for part, picture in (("images", np.dstack([mask, mask // 2, 255 - mask])), ("masks", mask)):
            (tmp_path / "my" / part).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "my" / part / f"{i}.png"), picture)
    alone, losses, told = trained(tmp_path / "my", tmp_path / "one", 1)
    both, together, told_too = trained(tmp_path / "my", tmp_path / "two", 2)
    assert len(losses) == len(together) == 4  # written once
    assert np.allclose(losses, together, atol=0.15)
    assert told_too == told.replace("/one/", "/two/")
    begun, _ = weights.load(tmp_path / "tiny.safetensors")
    moved = [learnt_by(net, begun) for net in (alone, both)]
    assert float(torch.cosine_similarity(moved[0], moved[1], dim=0)) > 0.95


def learnt_by(net: weights.Network, begun: weights.Network) -> torch.Tensor:
    pairs = zip(net.parameters(), begun.parameters(), strict=True)
    return torch.cat([(after - before).detach().flatten() for after, before in pairs])


def test_alone_there_is_nobody_to_ask() -> None:
    assert [distributed.all_processes(here, torch.device("cpu")) for here in (True, False)] == [True, False]
    net = torch.nn.Linear(2, 2)
    net(torch.ones(1, 2)).sum().backward()
    with distributed.process_group():
        distributed.add_up_gradients(net)
        assert (distributed.rank(), distributed.world_size()) == (0, 1)
        assert distributed.broadcast_first(lambda: 0.7, torch.device("meta")) == 0.7  # no tensor: mps has no float64
    assert net.weight.grad is not None
    assert (net.weight.grad == 1).all()
