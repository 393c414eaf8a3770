"""The progress of a stage: clips, clips per second, speed relative to real time, rejects, time left.

A bar on a terminal; elsewhere, as under nohup or SLURM, a line now and then. The rates are those of the work that was
done; clips that stood already have no part in them.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from featurize.errors import counted

LINES = 10
"""Where stderr is no terminal: a line after each tenth of the clips, and at least one each minute."""
FEWEST_S, MOST_S = 10.0, 60.0
"""Between two lines: a short stage has none, a long one never seems to stand still."""


class Advance(Protocol):
    """Report finished clips.

    Args:
        audio_s: total length of those that were worked on, in s.
        clips: their number, with those that were not.
        rejected: how many of them cannot be used.
        standing: how many of them stood already, and were not worked on.
    """

    def __call__(self, audio_s: float, clips: int = 1, rejected: int = 0, standing: int = 0) -> None: ...  # noqa: D102


@dataclass
class _Tally:
    """What has been reported."""

    unusable: str
    """What a rejected clip is called."""
    clips: int = 0
    audio_s: float = 0.0
    rejected: int = 0
    standing: int = 0
    shown_at_s: float = 0.0
    """When the last line was written."""
    shown_clips: int = 0
    """In the last line."""

    def is_due(self, wall_s: float, num_clips: int) -> bool:
        """Whether it is time for a line; the closing line is another one."""
        tenths = [LINES * clips // max(num_clips, 1) for clips in (self.shown_clips, self.clips)]
        pause_s = FEWEST_S if tenths[1] > tenths[0] else MOST_S
        if self.clips >= num_clips or wall_s - self.shown_at_s < pause_s:
            return False
        self.shown_at_s, self.shown_clips = wall_s, self.clips
        return True

    def line(self, wall_s: float, num_clips: int) -> str:
        made = self.clips - self.standing
        left_s = (num_clips - self.clips) * wall_s / max(made, 1)
        left = (
            f", {timedelta(seconds=round(left_s))} left" if made >= LINES else ""
        )  # the first ones take longer
        return f"{self.clips} of {counted(num_clips, 'clip')}, {self.rates(wall_s)}{left}"

    def rates(self, wall_s: float) -> str:
        made = (self.clips - self.standing) / max(wall_s, 1e-9)
        return f"{made:.1f} clips/s, {self.audio_s / max(wall_s, 1e-9):.0f} × real time{self.rejects()}"

    def rejects(self) -> str:
        return f", {self.rejected} {self.unusable}" if self.rejected else ""

    def closing(self, wall_s: float) -> str:
        if not self.clips - self.standing - self.rejected:
            stand = f"{counted(self.standing, 'clip')} {'stands' if self.standing == 1 else 'stand'}"
            what = f"nothing to do: {stand}" if self.standing else counted(self.clips, "clip")
            return what + self.rejects()
        stood = f" ({self.standing} stood already)" if self.standing else ""
        return f"{counted(self.clips, 'clip')}{stood}, {self.rates(wall_s)}"


@contextlib.contextmanager
def clip_progress(title: str, num_clips: int, unusable: str = "rejected") -> Iterator[Advance]:
    """Show progress over clips on stderr: a bar, or lines; at the end, print one line with the rates.

    Args:
        title: of the line.
        num_clips: that will be reported.
        unusable: what a rejected clip is called.

    Yields:
        A function to call for finished clips.
    """
    console = Console(stderr=True)
    start, tally = time.perf_counter(), _Tally(unusable)

    def say(text: str) -> None:
        console.print(f"{title}: {text}", highlight=False, markup=False, soft_wrap=True)

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

        def advance(audio_s: float, clips: int = 1, rejected: int = 0, standing: int = 0) -> None:
            tally.clips += clips
            tally.audio_s += audio_s
            tally.rejected += rejected
            tally.standing += standing
            wall_s = time.perf_counter() - start
            progress.update(task, advance=clips, rate=tally.rates(wall_s))
            if not console.is_terminal and tally.is_due(wall_s, num_clips):
                say(tally.line(wall_s, num_clips))

        yield advance
    say(tally.closing(time.perf_counter() - start))
