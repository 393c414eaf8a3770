"""Shards do not depend on the engine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.extraction.engine import Engine, InProcess
from pipeline.extraction.job import Make
from pipeline.extraction.tasks import Task
from pipeline.extraction.workers import LocalEngine
from tests.pipeline.extraction.toy_job import ToyJob, toy_clips, toy_output

CLIPS = toy_clips(*["keep", "keep", "reject", "log", "keep"] * 4)


def run(engine: Engine, folder: Path) -> tuple[dict[str, bytes], list[str], tuple[float, int, int, int]]:
    """Five shards through an engine: their bytes, the rejected clips, and the sums of the progress line."""
    reported: list[tuple[float, int, int, int]] = []

    def advance(audio_s: float, clips: int = 1, rejected: int = 0, standing: int = 0) -> None:
        reported.append((audio_s, clips, rejected, standing))

    tasks = [Task(number, CLIPS[4 * number : 4 * number + 4]) for number in range(5)]
    done = list(engine.run(ToyJob(toy_output(folder)), tasks, advance))
    assert sorted(one.number for one in done) == list(range(5))
    rejects = sorted(reject.clip_id for one in done for reject in one.rejects)
    audio_s, clips, rejected, standing = (sum(column) for column in zip(*reported, strict=True))
    made = {path.name: path.read_bytes() for path in folder.glob("*.h5")}
    return made, rejects, (audio_s, clips, rejected, standing)


def test_workers_and_one_process_give_the_same_shards(tmp_path: Path) -> None:
    expected = run(InProcess(), tmp_path / "one")
    assert run(LocalEngine(2), tmp_path / "two") == expected
    assert len(expected[0]) == 5
    assert expected[1:] == (["t/12", "t/17", "t/2", "t/7"], (16.0, 20, 4, 0))


def test_models_are_loaded_once_and_not_without_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[int | None] = []
    load: Callable[[ToyJob, int | None], Make] = ToyJob.load

    def count(job: ToyJob, threads: int | None) -> Make:
        loaded.append(threads)
        return load(job, threads)

    monkeypatch.setattr(ToyJob, "load", count)
    assert list(InProcess().run(ToyJob(toy_output(tmp_path)), [], lambda _: None)) == []
    assert loaded == []
    run(InProcess(), tmp_path)
    assert loaded == [None]
