"""A job of three numbers per clip, where each clip has an order; worker processes import it."""

import logging
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from featurize.errors import AudioError, SerError
from featurize.shards import Row
from pipeline.extraction.job import Make
from pipeline.extraction.shard_writer import ShardWriter
from pipeline.extraction.tasks import Fields, Output, Task


def toy_clips(*orders: str) -> list[Fields]:
    """Clips, each with an order: "keep", "reject", "log", "bug", "exit", "kill" or "mute"."""
    return [
        {"clip_id": f"t/{number}", "path": f"{number}.wav", "sha256": f"{number:064x}", "order": order}
        for number, order in enumerate(orders)
    ]


def toy_task(*orders: str, **fields: Any) -> Task:
    return Task(0, toy_clips(*orders), **fields)


def toy_output(folder: Path, run: str = "run") -> Output:
    return Output(folder, "waveform", {"setting": "1"}, ("setting",), run)


@dataclass(frozen=True)
class ToyJob:
    """The job; with `refusal` the error that loading its models ends in."""

    output: Output
    refusal: str = ""
    cores: int | None = 1
    device: str = "cpu"

    def keys(self, clip: Fields) -> list[str]:
        return [str(clip["sha256"])]

    def load(self, threads: int | None) -> Make:
        if self.refusal:
            raise SerError(self.refusal)
        return make


def make(writer: ShardWriter) -> None:
    for index, clip in writer.todo:
        if (found := writer.found.row(clip["sha256"], clip)) is not None:
            writer.keep(index, [Row(dict(clip), found.data)], 1.0)
            continue
        writer.at(index, "decode")
        if clip["order"] == "reject":
            writer.reject(index, AudioError("silent", f"{clip['path']} is silent"))
            continue
        obey(clip["order"])
        writer.keep(index, [toy_row(clip)], 1.0)


def toy_row(clip: Fields) -> Row:
    return Row(dict(clip), np.full(3, int(clip["sha256"], 16), np.int16))


def obey(order: str) -> None:
    match order:
        case "log":
            logging.getLogger("pipeline.toy").info("%s in %s", "spoken", "the worker")
        case "bug":
            raise ValueError("two\nlines")
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "mute":  # alive, but its pipe, the only socket that it has, is closed
            for link in Path("/proc/self/fd").iterdir():
                if link.is_socket():
                    os.close(int(link.name))
            threading.Event().wait()
