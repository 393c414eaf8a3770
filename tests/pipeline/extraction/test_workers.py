"""If a clip kills its worker, only that clip is rejected; no worker outlives its parent."""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurize.denoise import DenoiseParams
from featurize.errors import SerError
from featurize.mfcc import MfccParams
from featurize.vad import VadParams
from pipeline.extraction import grouping, loading
from pipeline.extraction.tasks import Task
from pipeline.extraction.workers import (
    CLIPS_PER_PART,
    FRUITLESS_DEATHS,
    LocalEngine,
    Work,
    Workers,
    share_out,
)
from pipeline.stages import denoise as stage
from pipeline.stages.denoise import denoise
from pipeline.stages.featurize import featurize
from tests.pipeline.extraction.toy_job import ToyJob, toy_output, toy_task
from tests.waiting import LONG_S, wait_until

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.h5")}


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder in which a test says what becomes of which clip."""
    folder = tmp_path / "orders"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(HERE))  # worker processes take it over
    monkeypatch.setenv("SER_TEST_ORDERS", str(folder))
    from deadly import DeadlyJob

    monkeypatch.setattr(stage, "DenoiseJob", DeadlyJob)
    # A job in this process replaces the decoder; this puts it back.
    monkeypatch.setattr(loading, "load_audio", loading.load_audio)
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 6)
    return folder


def test_a_clip_that_kills_its_worker_is_rejected(
    noise_corpus: Any, tmp_path: Path, orders: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = noise_corpus(tmp_path, 10)
    (orders / "3.wav").write_text("die")
    denoise(DenoiseParams(), tmp_path, tmp_path / "reports", 0.5, engine=LocalEngine(1))
    rejects = pd.read_csv(tmp_path / "denoised" / "rejects.csv")
    assert rejects[["clip_id", "reason"]].to_numpy().tolist() == [["t/3", "crashed"]]
    assert "SIGSEGV" in rejects["detail"][0]
    assert f"{table['path'][3]}: crashed twice" in caplog.text
    assert len((orders / "pid").read_text().split()) == 3  # the first, the one for suspects, one for the rest
    assert (orders / "decoded").read_text().split().count("3.wav") == 2

    reference = tmp_path / "reference"
    reference.mkdir()
    table.loc[3, "path"] = "absent.wav"
    table.to_csv(reference / "manifest.csv", index=False)
    denoise(DenoiseParams(), reference, reference / "reports", 0.5)
    assert shards(tmp_path / "denoised") == shards(reference / "denoised")


def test_features_of_two_workers_are_those_of_one_process(small_run: Any, tmp_path: Path) -> None:
    shutil.copytree(small_run.data / "denoised", tmp_path / "denoised")
    shutil.copy(tmp_path / "denoised" / "part-00000.h5", tmp_path / "denoised" / "part-00001.h5")
    arguments = (VadParams(), MfccParams(), tmp_path, tmp_path / "reports", 0.1)
    featurize(*arguments, engine=LocalEngine(2))
    made = shards(tmp_path / "features")
    shutil.rmtree(tmp_path / "features")
    featurize(*arguments)
    assert made == shards(tmp_path / "features")
    assert len(made) == 2


RUN = """
import signal, sys
from deadly import DeadlyJob
from pipeline.extraction import shard_writer
from pipeline.cli import main
from pipeline.stages import denoise as stage
shard_writer.SECONDS_PER_PIECE = 0.0
stage.DenoiseJob = DeadlyJob
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    main(["denoise", "--data", sys.argv[1], "--reports", sys.argv[1] + "/reports"])
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(
    noise_corpus: Any, tmp_path: Path, orders: Path, how: signal.Signals
) -> None:
    noise_corpus(tmp_path, 6)
    (orders / "5.wav").write_text("hang")
    script = tmp_path / "run.py"
    script.write_text(RUN)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    process = subprocess.Popen(
        [sys.executable, script, tmp_path],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    decoded = orders / "decoded"
    try:
        wait_until(
            lambda: process.poll() is not None or (decoded.exists() and "5.wav" in decoded.read_text()),
            "the clip that hangs is being decoded",
        )
        worker = int((orders / "pid").read_text())
        assert is_running(worker)
        if how is signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does: to every process of the group
        else:
            process.kill()
        _, output = process.communicate(timeout=LONG_S)
        if how is signal.SIGINT:
            assert process.returncode == 130
            assert output.splitlines() == ["ser: interrupted; run it again to continue"]
        wait_until(lambda: not is_running(worker), "the worker has ended")
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[str]) -> None:
    """Leave nothing running after a failed test."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def task(number_of_clips: int) -> Task:
    return Task(0, [{"path": f"{index}.wav"} for index in range(number_of_clips)])


def test_suspects_are_tried_alone_those_in_decoding_first() -> None:
    work = Work(task(9), at={1: "wait", 2: "work", 7: "decode"})
    work.died("SIGKILL")
    tried = []
    while work.suspects:
        tried.append(work.next_task().only)
        work.clear_suspect()
    assert tried == [(7,), (2,), (1,)]
    assert work.next_task().only is None
    assert work.task.crashed == {}


def test_a_clip_that_dies_alone_is_rejected_and_the_others_are_not() -> None:
    work = Work(task(9), at={1: "wait", 2: "decode"})
    work.died("SIGKILL")
    work.at = {2: "decode"}
    work.died("SIGSEGV")
    assert work.task.crashed == {2: "SIGSEGV"}
    assert work.next_task().only is None


def test_a_worker_that_always_dies_stops_the_stage() -> None:
    work = Work(task(9))
    for _ in range(FRUITLESS_DEATHS - 1):
        work.died("SIGKILL")
    with pytest.raises(SerError, match=r"died 3 times \(SIGKILL\), and no clip is to blame; look at memory"):
        work.died("SIGKILL")


@pytest.mark.parametrize("number", [1, 5])
def test_the_number_of_crashes_is_limited(number: int) -> None:
    work = Work(task(number))
    with pytest.raises(SerError, match="no clip is to blame"):
        for _ in range(100):
            work.at = {0: "work"}
            work.died("SIGKILL")
            while work.suspects:
                work.clear_suspect()


@given(clips=st.integers(1, 200), workers=st.integers(1, 20))
def test_the_parts_of_a_shard_are_its_clips_once_each_and_alike_in_number(clips: int, workers: int) -> None:
    parts = share_out(task(clips), workers)
    assert len(parts) <= workers
    if len(parts) == 1:
        assert parts[0].next_task().only is None
        assert workers == 1 or clips < 2 * CLIPS_PER_PART
        return
    only = [part.next_task().only or () for part in parts]
    assert [index for part in only for index in part] == list(range(clips))
    assert min(map(len, only)) >= CLIPS_PER_PART
    assert max(map(len, only)) - min(map(len, only)) <= 1


def test_a_shard_that_is_shared_out_is_as_one_worker_makes_it(tmp_path: Path) -> None:
    orders = ["keep"] * 40
    orders[3], orders[20], orders[38] = "reject", "kill", "reject"
    made, counted = {}, Counter[str]()

    def advance(audio_s: float, clips: int = 1, rejected: int = 0, standing: int = 0) -> None:
        counted.update(clips=clips, rejected=rejected, standing=standing)

    for name, count in (("alone", 1), ("together", 2)):
        folder = tmp_path / name
        (folder / ".pieces").mkdir(parents=True)
        counted.clear()
        with Workers(ToyJob(toy_output(folder)), count) as workers:
            (made[name],) = workers.run([toy_task(*orders)], advance)
        assert counted == {"clips": 40, "rejected": 3, "standing": 0}
        assert shards(folder).keys() == {"part-00000.h5"}
        assert list((folder / ".pieces").iterdir()) == []
    assert shards(tmp_path / "alone") == shards(tmp_path / "together")
    assert [(reject.clip_id, reject.reason) for reject in made["together"].rejects] == [
        ("t/3", "silent"),
        ("t/20", "crashed"),
        ("t/38", "silent"),
    ]
    assert made["together"].audio_s == 37
    assert {*made["together"].seconds} == {"write"}


def test_only_what_is_left_is_shared_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three shards for two workers the last one: while others wait, every worker has a shard of its own."""
    given_out: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "pipeline.extraction.workers.share_out",
        lambda task, workers: given_out.append((task.number, workers)) or share_out(task, workers),
    )
    (tmp_path / ".pieces").mkdir()
    tasks = [replace(toy_task(*["keep"] * 40), number=number) for number in range(3)]
    with Workers(ToyJob(toy_output(tmp_path)), 2) as workers:
        assert sorted(done.number for done in workers.run(tasks, lambda *_, **__: None)) == [0, 1, 2]
    assert given_out == [(0, 1), (1, 1), (2, 2)]
    assert len(shards(tmp_path)) == 3
