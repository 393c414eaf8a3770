"""One line of progress: clips, clips per second, and how many times faster than real time."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[float], None]


@contextlib.contextmanager
def clip_progress(title: str, num_clips: int) -> Iterator[Advance]:
    """Show progress over clips on stderr; afterwards leave one line with the rates.

    Yields:
        A function to call once a clip, with the clip's duration in seconds.
    """
    console = Console(stderr=True)
    start, clips, audio_s = time.perf_counter(), 0, 0.0
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

        def advance(duration_s: float) -> None:
            nonlocal clips, audio_s
            clips, audio_s = clips + 1, audio_s + duration_s
            progress.update(task, advance=1, rate=_rate(clips, audio_s, time.perf_counter() - start))

        yield advance
    console.print(
        f"{title}: {clips} clips, {_rate(clips, audio_s, time.perf_counter() - start)}", highlight=False
    )


def _rate(clips: int, audio_s: float, wall_s: float) -> str:
    wall_s = max(wall_s, 1e-9)
    return f"{clips / wall_s:.1f} clips/s, {audio_s / wall_s:.0f} × real time"
