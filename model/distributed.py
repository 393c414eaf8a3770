"""Several processes train one network: who this one is, and sums over all of them.

`torchrun` starts the processes and says in the environment how many they are; each takes its share of every batch.
A process alone is rank 0 of 1, and nothing here costs it anything.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

Answer = TypeVar("Answer")


def in_group() -> bool:
    """Whether other processes train along."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def rank() -> int:
    """Number of this process, from 0; only process 0 validates, writes and speaks."""
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


def told_by_first(answer: Answer) -> Answer:
    """What process 0 says, in every process. An exception is an answer too: it is raised in all of them."""
    if in_group():
        box = [answer]
        dist.broadcast_object_list(box, src=0)
        answer = box[0]
    if isinstance(answer, Exception):
        raise answer
    return answer


@contextmanager
def process_group(device: str) -> Iterator[str]:
    """Join the processes that torchrun started, if it did; yields this process's device.

    NCCL between GPUs, each process taking the GPU of its local rank, else Gloo.
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
