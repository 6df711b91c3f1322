"""Matrix products as CPUs like them.

A linear layer keeps its weights as they were saved, and every product sorts them into blocks first; for the
few rows of decoding that can take as long as the product. oneDNN, which comes with PyTorch, also takes
weights that are sorted already.
"""

from functools import cache
from typing import Any

import torch

OUTPUTS = 8192  # at a time: what has to be sorted for them is small


def _product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result


@cache
def _offered(dtype: torch.dtype) -> bool:
    """Whether oneDNN is there and has such products on this CPU, which a trial tells."""
    try:
        weight = torch.ops.mkldnn._reorder_linear_weight(torch.ones(16, 16, dtype=dtype))
        _product(torch.ones(1, 16, dtype=dtype), weight, None)
    except (AttributeError, RuntimeError):
        return False
    return True


class _Sorted(torch.nn.Linear):
    """A linear layer with `weight` in oneDNN's order; the result has the same values up to rounding."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _product(x, self.weight, self.bias)


class _Parts(torch.nn.Linear):
    """A linear layer that lets oneDNN sort its weights for every product, some outputs at a time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result = x.new_empty(*x.shape[:-1], self.out_features)
        for start in range(0, self.out_features, OUTPUTS):
            part = slice(start, start + OUTPUTS)
            result[..., part] = _product(x, self.weight[part], None if self.bias is None else self.bias[part])
        return result


def sort_weights(model: Any) -> None:
    """Let the plain linear layers of a model on a CPU keep their weights sorted, where oneDNN can.

    A layer that shares its weights with the embedding, which needs them as they are, does not keep a second
    copy.
    """
    if model.device.type != "cpu":
        return
    plain = [each for each in model.modules() if type(each) is torch.nn.Linear]
    layers = [each for each in plain if _offered(each.weight.dtype)]
    embeddings = [each.weight for each in model.modules() if isinstance(each, torch.nn.Embedding)]
    for layer in layers:
        if any(layer.weight is weight for weight in embeddings):
            layer.__class__ = _Parts
        else:
            layer.__class__ = _Sorted
            _replace(layer, torch.ops.mkldnn._reorder_linear_weight(layer.weight.data))


def restore_weights(model: Any) -> None:
    """Undo `sort_weights`."""
    for module in model.modules():
        if type(module) is _Sorted:
            _replace(module, module.weight.data.to_dense())
        if type(module) in (_Sorted, _Parts):
            module.__class__ = torch.nn.Linear


def _replace(layer: torch.nn.Linear, weight: torch.Tensor) -> None:
    layer.weight = torch.nn.Parameter(weight, requires_grad=False)
