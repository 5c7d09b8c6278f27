import copy

import pytest
import torch

from animecut.network import Architecture, PSPNet
from training.depthwise import ByPhases, quicken


@pytest.mark.parametrize("size", [(64, 96), (48, 80)])
def test_a_quickened_network_is_the_same_network(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    plain = PSPNet(Architecture(width=16, decoder=(8,)))
    quick = copy.deepcopy(plain)
    quicken(quick)
    assert sum(isinstance(module, ByPhases) for module in quick.modules()) == 2 + 1
    x = torch.rand(2, 3, *size)
    results = []
    for network in (plain, quick):
        logits = network.eval()(x)
        logits.square().mean().backward()
        results.append((logits, [p.grad for p in network.parameters()]))
    torch.testing.assert_close(results[0][0], results[1][0], atol=1e-5, rtol=1e-4)
    for one, other in zip(results[0][1], results[1][1], strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
    assert list(plain.state_dict()) == list(quick.state_dict())
