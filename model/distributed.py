"""Training one network in several processes: the rank of this one, sums and broadcasts over all.

`torchrun` starts the processes and sets their number in the environment; each takes its share of every batch.
A single process is rank 0 of 1, and nothing here costs it time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_reduce

Value = TypeVar("Value")


def in_group() -> bool:
    """Whether several processes train together."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def rank() -> int:
    """Number of this process, from 0; only process 0 validates, writes files and logs."""
    return dist.get_rank() if in_group() else 0


def world_size() -> int:
    """Number of processes."""
    return dist.get_world_size() if in_group() else 1


def sum_over_processes(x: Tensor) -> Tensor:
    """Sum of a tensor over all processes; without gradient."""
    if in_group():
        x = x.clone()
        dist.all_reduce(x)
    return x


def sum_with_gradient(x: Tensor) -> Tensor:
    """Sum of a tensor over all processes, whose gradient reaches the tensors of all of them."""
    return all_reduce(x) if in_group() else x  # type: ignore[no-untyped-call]


def broadcast_from_first(value: Value) -> Value:
    """Return process 0's value in every process; if it is an exception, raise it in every process."""
    if in_group():
        values = [value]
        dist.broadcast_object_list(values, src=0)
        value = values[0]
    if isinstance(value, Exception):
        raise value
    return value


@contextmanager
def process_group(device: str) -> Iterator[str]:
    """Join the processes started by torchrun, if any; yields the device of this process.

    With CUDA, NCCL connects the processes and each uses the GPU of its local rank; otherwise Gloo does.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        yield device
        return
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()
