"""Where in a network numbers stop being numbers."""

from typing import Any

import torch
from torch import Tensor, nn


@torch.no_grad()
def first_non_finite(network: nn.Module, rgb: Tensor, dtype: torch.dtype = torch.bfloat16) -> str:
    """In words: the first tensor on the way through the network that holds a NaN or an infinity.

    rgb: (B, 3, H, W), the batch that it happened with.  dtype: that the network computed in.
    """
    if not torch.isfinite(rgb).all():
        return "the pictures themselves"
    for name, parameter in network.named_parameters():
        if not torch.isfinite(parameter).all():
            return f"the weights {name}"
    found: list[str] = []

    def look(name: str) -> Any:  # noqa: ANN401 (torch's own type of hooks)
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and not torch.isfinite(output).all():
                found.append(name)

        return hook

    hooks = [module.register_forward_hook(look(name)) for name, module in network.named_modules() if name]
    with torch.autocast(rgb.device.type, dtype):
        network(rgb)
    for hook in hooks:
        hook.remove()
    return f"the output of {found[0]}" if found else "the loss itself"
