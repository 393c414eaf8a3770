"""Where the time of an extraction stage went."""

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

    def _book(self) -> None:
        now = time.perf_counter()
        if self._running:
            step = self._running[-1]
            self.seconds[step] = self.seconds.get(step, 0.0) + now - self._since
        self._since = now

    @contextlib.contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Book the block to a step."""
        self._book()
        self._running.append(step)
        try:
            yield
        finally:
            self._book()
            self._running.pop()

    def add(self, seconds: dict[str, float], audio_s: float) -> None:
        """Add what a worker's stopwatch shows: the table is a sum over workers, not over the clock."""
        for step, more in seconds.items():
            self.seconds[step] = self.seconds.get(step, 0.0) + more
        self.audio_s += audio_s

    def report(self, path: Path) -> None:
        """Show a small table on stderr, and keep the numbers as JSON for DVC."""
        total = sum(self.seconds.values())
        table = Table("step", "seconds", "share", box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        for step, seconds in self.seconds.items():
            table.add_row(step, f"{seconds:.1f}", f"{seconds / max(total, 1e-9):.0%}")
        if total > 0:
            Console(stderr=True).print(table, highlight=False)
        write_json(path, {"seconds": self.seconds, "audio_s": self.audio_s})
