import copy

import pytest
import torch
from animecut_training.loop.cpu_fast_path import Dense, Folding, FoldingConvNormAct, PhaseConv2d, speed_up
from animecut_training.loop.nan_check import first_non_finite
from torch import nn

from animecut.segmentation.weights import Architecture, PSPNet


@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("size", [(64, 96), (48, 80)])
def test_a_quickened_network_is_the_same_network(size: tuple[int, int], statistics: bool) -> None:
    torch.manual_seed(0)
    plain = PSPNet(Architecture(width=16, decoder=(8,))).double().train()
    for module in plain.modules():
        if isinstance(module, nn.BatchNorm2d):  # no two alike, so that a mistake in any of them is seen
            nn.init.uniform_(module.get_buffer("running_mean"), -0.1, 0.1)
            nn.init.uniform_(module.get_buffer("running_var"), 0.8, 1.2)
            nn.init.uniform_(module.weight, 0.8, 1.2)
            module.train(statistics)
        elif isinstance(module, nn.Dropout2d):
            module.eval()
    quick = copy.deepcopy(plain)
    speed_up(quick)
    speed_up(quick)  # again
    kinds = [type(module) for module in quick.modules()]
    assert (kinds.count(PhaseConv2d), kinds.count(Dense)) == (2 + 1, 1)
    assert sum(issubclass(kind, FoldingConvNormAct) for kind in kinds) == 1 + 1 + 2 * 16 + 4 + 1 + 1
    assert kinds.count(Folding) == 17 + 1  # the features themselves have nothing to fold
    x = torch.rand(2, 3, *size, dtype=torch.float64)
    results = []
    for network in (plain, quick):
        logits = network(x)
        logits.square().mean().backward()
        results.append((logits, [p.grad for p in network.parameters()]))
    torch.testing.assert_close(results[0], results[1], atol=1e-10, rtol=1e-6)
    torch.testing.assert_close(plain.state_dict(), quick.state_dict())
    assert list(plain.state_dict()) == list(quick.state_dict())


def test_a_quickened_network_in_use_is_called_layer_by_layer() -> None:
    """Or what is wrong in one could not be found."""
    net = PSPNet(Architecture(width=16, decoder=(8,))).eval()
    speed_up(net)
    net.get_buffer("pyramid.bottleneck.1.running_var").fill_(-1)
    assert first_non_finite(net, torch.rand(1, 3, 64, 64)) == "the output of pyramid.bottleneck.1"
