"""The progress line: clips, clips per second, speed relative to real time, rejects."""

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Advance(Protocol):
    """Report finished clips: their total seconds of audio, their number, and how many of them were rejected."""

    def __call__(self, audio_s: float, clips: int = 1, rejected: int = 0) -> None: ...  # noqa: D102


@contextlib.contextmanager
def clip_progress(title: str, num_clips: int) -> Iterator[Advance]:
    """Show progress over clips on stderr; at the end, print one line with the rates.

    Yields:
        A function to call for finished clips.
    """
    console = Console(stderr=True)
    start, all_clips, all_audio_s, rejects = time.perf_counter(), 0, 0.0, 0
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(title, total=num_clips, rate="")

        def rate() -> str:
            wall_s = max(time.perf_counter() - start, 1e-9)
            rejected = f", {rejects} rejected" if rejects else ""
            return f"{all_clips / wall_s:.1f} clips/s, {all_audio_s / wall_s:.0f} × real time{rejected}"

        def advance(audio_s: float, clips: int = 1, rejected: int = 0) -> None:
            nonlocal all_clips, all_audio_s, rejects
            all_clips, all_audio_s, rejects = all_clips + clips, all_audio_s + audio_s, rejects + rejected
            progress.update(task, advance=clips, rate=rate())

        yield advance
    console.print(f"{title}: {all_clips} clips, {rate()}", highlight=False)
