"""Matrix products as CPUs like them.

A linear layer keeps its weights as they were saved, and every product sorts them into blocks first; for the few rows of
decoding that can take as long as the product. oneDNN, which comes with PyTorch, also takes weights that are sorted already.
"""

from typing import Any

import torch

DTYPES = (torch.float32, torch.bfloat16)


class _Sorted(torch.nn.Linear):
    """A linear layer with `weight` in oneDNN's order; the result has the same values up to rounding."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return result


def sort_weights(model: Any) -> None:
    """Let the plain linear layers of a model on a CPU keep their weights sorted, where oneDNN can.

    The layer of outputs sorts a copy if it shares its weights with the embedding, which needs them as they were.
    """
    if model.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return
    layers = [each for each in model.modules() if type(each) is torch.nn.Linear and each.weight.dtype in DTYPES]
    embeddings = [each.weight for each in model.modules() if isinstance(each, torch.nn.Embedding)]
    sharing = [layer for layer in layers if any(layer.weight is weight for weight in embeddings)]
    for layer in layers:
        if layer not in sharing:
            _change(layer, _Sorted, torch.ops.mkldnn._reorder_linear_weight(layer.weight.data))
    # Weights may lie in the file, mapped into memory: without the last of them, it takes no memory any more.
    for parameter in model.parameters():
        if not parameter.is_mkldnn:
            parameter.data = parameter.data.clone()
    for layer in sharing:
        _change(layer, _Sorted, torch.ops.mkldnn._reorder_linear_weight(layer.weight.data))


def restore_weights(model: Any) -> None:
    """Undo `sort_weights`."""
    for module in model.modules():
        if type(module) is _Sorted:
            _change(module, torch.nn.Linear, module.weight.data.to_dense())


def _change(module: torch.nn.Linear, kind: type[torch.nn.Linear], weight: torch.Tensor) -> None:
    module.__class__ = kind
    module.weight = torch.nn.Parameter(weight, requires_grad=False)
