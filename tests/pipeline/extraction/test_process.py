"""A worker process reports the step of each clip, and how it ended."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from featurize.errors import SerError
from featurize.shards import Shard
from pipeline.extraction import process
from pipeline.extraction.process import Died, Logged, Message, WorkerProcess
from pipeline.extraction.tasks import At, Done, Finished
from tests.pipeline.extraction.toy_job import ToyJob, toy_output, toy_task


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WorkerProcess]:
    found = WorkerProcess(ToyJob(toy_output(tmp_path)), threads=1)
    yield found
    found.kill()


def until_done(worker: WorkerProcess) -> list[Message]:
    """Everything that it says up to the end of its task, or its own."""
    messages = [worker.receive()]
    while not isinstance(messages[-1], (Done, Died, SerError)):
        messages.append(worker.receive())
    return messages


def test_it_reports_the_step_of_each_clip(worker: WorkerProcess, tmp_path: Path) -> None:
    worker.send(toy_task("keep", "reject"))
    *steps, done = until_done(worker)
    assert steps == [At(0, "decode"), Finished(0, 1.0, False), At(1, "decode"), Finished(1, 0.0, True)]
    assert isinstance(done, Done)
    assert [reject.clip_id for reject in done.rejects] == ["t/1"]
    assert Shard(tmp_path / "part-00000.h5").data(0).tolist() == [0, 0, 0]
    worker.send(toy_task("log"))
    assert until_done(worker)[1] == Logged("pipeline.toy", 20, "spoken in the worker")


@pytest.mark.parametrize(
    ("order", "death"), [("kill", "SIGKILL"), ("exit", "exit code 3"), ("bug", "ValueError: two lines")]
)
def test_it_reports_how_it_died(worker: WorkerProcess, order: str, death: str) -> None:
    worker.send(toy_task("keep", order, "keep"))
    assert until_done(worker) == [At(0, "decode"), Finished(0, 1.0, False), At(1, "decode"), Died(death)]
    worker.send(toy_task("keep"))  # nobody is there any more, which is not the sender's fault


def test_a_user_error_is_reported(tmp_path: Path) -> None:
    worker = WorkerProcess(ToyJob(toy_output(tmp_path), refusal="no such weights"), threads=1)
    error = worker.receive()
    worker.kill()
    assert isinstance(error, SerError)
    assert str(error) == "no such weights"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the pipe in /proc")
def test_one_that_stops_answering_is_ended_and_no_exit_code_is_made_up(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SECONDS_TO_DIE", 0.1)
    worker.send(toy_task("mute"))
    death = until_done(worker)[-1]
    assert isinstance(death, Died)
    assert death.death.startswith("no exit")
    assert worker._process.exitcode is not None
