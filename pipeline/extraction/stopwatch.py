"""How the time of an extraction stage was spent."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from featurize.atomic import write_json


class Stopwatch:
    """Seconds spent in each step; a step inside another one is not counted twice."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.audio_s = 0.0
        self._running: list[str] = []
        self._since = time.perf_counter()

    def _add_elapsed(self) -> None:
        now = time.perf_counter()
        if self._running:
            step = self._running[-1]
            self.seconds[step] = self.seconds.get(step, 0.0) + now - self._since
        self._since = now

    @contextlib.contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Add the time of a block to a step."""
        self._add_elapsed()
        self._running.append(step)
        try:
            yield
        finally:
            self._add_elapsed()
            self._running.pop()

    def add(self, seconds: dict[str, float], audio_s: float) -> None:
        """Add the seconds of a worker: the table is a sum over workers, not wall-clock time."""
        for step, more in seconds.items():
            self.seconds[step] = self.seconds.get(step, 0.0) + more
        self.audio_s += audio_s

    def report(self, path: Path) -> None:
        """Print a small table on stderr, and write the numbers as JSON."""
        total = sum(self.seconds.values())
        table = Table("step", "seconds", "share", box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        for step, seconds in self.seconds.items():
            table.add_row(step, f"{seconds:.1f}", f"{seconds / max(total, 1e-9):.0%}")
        if total > 0:
            Console(stderr=True).print(table, highlight=False)
        write_json(path, {"seconds": self.seconds, "audio_s": self.audio_s})
