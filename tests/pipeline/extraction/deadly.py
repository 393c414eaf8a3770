"""Jobs whose decoder crashes on selected clips; a separate module, since worker processes import it."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit import fingerprints
from pipeline.extraction import loading
from pipeline.extraction.job import Make
from pipeline.stages import denoise as stage


@dataclass(frozen=True)
class DeadlyJob(stage.DenoiseJob):
    """Notes its process in `$SER_TEST_ORDERS`/pid; a file there with a clip's name says what becomes of its decoder.

    "die": it always dies; "hang": it never ends.
    """

    def load(self, threads: int | None) -> Make:
        folder = Path(os.environ["SER_TEST_ORDERS"])
        with (folder / "pid").open("a") as pids:
            print(os.getpid(), file=pids)
        loading.load_audio = obey(folder, loading.load_audio)
        return super().load(threads)


class DeadlyFingerprints(fingerprints.FingerprintJob):
    """The same orders, for the audit's decoder."""

    def load(self, threads: int | None) -> Make:
        fingerprints.load_audio = obey(Path(os.environ["SER_TEST_ORDERS"]), fingerprints.load_audio)
        return super().load(threads)


def obey(folder: Path, load_audio: Callable[..., Any]) -> Callable[..., Any]:
    def load(path: Path, *rate: int, **options: Any) -> Any:
        order = (folder / path.name).read_text() if (folder / path.name).exists() else ""
        with (folder / "decoded").open("a") as names:
            print(path.name, file=names)
        if order == "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        if order == "hang":
            threading.Event().wait()
        return load_audio(path, *rate, **options)

    return load
