"""What a device's failures mean: no memory is left, or the device itself is gone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from selfincorrect.errors import UserError

# Texts of errors that have no class of their own: PyTorch's CPU allocator; CUDA's libraries.
NO_MEMORY = re.compile(
    "DefaultCPUAllocator: can't allocate memory|CUDA (error: |driver error: )?out of memory|"
    "CUBLAS_STATUS_ALLOC_FAILED"
)
BROKEN = re.compile("CUDA (driver )?error|CUBLAS_STATUS|CUDNN_STATUS|cuDNN error|NCCL error")


def out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or bool(NO_MEMORY.search(str(error)))


def device_failed(error: BaseException) -> bool:
    """Whether the device can no longer be used by this process."""
    return isinstance(error, torch.AcceleratorError) or bool(BROKEN.search(str(error)))


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn a device's failure while model `name` is loaded or used into a UserError; other errors pass."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if out_of_memory(error):
            raise UserError(
                f"{name} does not fit into memory: {_first_line(error)}. "
                "Use a larger GPU, several (`gpus`, device: auto), more memory for the job (mem_mb), "
                "`dtype: bfloat16`, or a smaller model."
            ) from error
        if device_failed(error):
            raise UserError(
                f"The GPU failed while {name} was running: {_first_line(error)}. "
                "Answers that came are kept; run the same command again, "
                "on another node if this one's GPU is gone (look with nvidia-smi and dmesg)."
            ) from error
        raise


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
