"""A shard holds its clips in order, whatever order they came in, and reuses rows of an earlier process."""

from pathlib import Path

import pytest

from featurize.errors import AudioError, ShardError
from featurize.shards import Shard
from pipeline.extraction import shard_writer
from pipeline.extraction.shard_writer import ShardWriter
from pipeline.extraction.tasks import PIECES, At, Finished, Task
from tests.pipeline.extraction.toy_job import toy_output, toy_row, toy_task


def writer_of(
    task: Task, folder: Path, run: str = "run", events: list[At | Finished] | None = None
) -> ShardWriter:
    return ShardWriter(task, toy_output(folder, run), "cpu", [].append if events is None else events.append)


def keep(writer: ShardWriter, *indices: int) -> None:
    for index in indices:
        writer.keep(index, [toy_row(writer.task.clips[index])], 2.0)


def pieces(folder: Path) -> list[Path]:
    return sorted((folder / PIECES).glob("*.h5"))


@pytest.fixture
def save_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_writer, "SECONDS_PER_PIECE", 0.0)


def test_rows_and_rejects_stand_in_the_order_of_the_clips(tmp_path: Path) -> None:
    events: list[At | Finished] = []
    with writer_of(toy_task(*["keep"] * 5), tmp_path, events=events) as writer:
        keep(writer, 3, 0)
        writer.reject(4, AudioError("silent", "4.wav is silent"))
        writer.reject(1, AudioError("empty", "1.wav is empty"))
        assert [index for index, _ in writer.todo] == [2]
        keep(writer, 2)
        done = writer.close()
    shard = Shard(tmp_path / "part-00000.h5")
    assert list(shard.columns["clip_id"]) == ["t/0", "t/2", "t/3"]
    assert [shard.data(row)[0] for row in range(3)] == [0, 2, 3]
    assert [(reject.clip_id, reject.reason) for reject in done.rejects] == [
        ("t/1", "empty"),
        ("t/4", "silent"),
    ]
    assert (done.num_clips, done.num_rows, done.audio_s, done.standing) == (5, 3, 6.0, 0)
    assert events[:2] == [Finished(3, 2.0, False), Finished(0, 2.0, False)]
    assert events[2] == Finished(4, 0.0, True)


@pytest.mark.usefixtures("save_at_once")
def test_rows_of_a_dead_process_are_reused_and_removed(tmp_path: Path) -> None:
    with writer_of(toy_task(*["keep"] * 3), tmp_path) as dead:
        keep(dead, 0, 1)
    assert len(pieces(tmp_path)) == 2
    with writer_of(toy_task(*["keep"] * 3), tmp_path, run="another") as stranger:
        assert stranger.task.clips[0]["sha256"] not in stranger.found
    with writer_of(toy_task(*["keep"] * 3), tmp_path) as writer:
        for index, clip in enumerate(writer.task.clips[:2]):
            found = writer.found.row(clip["sha256"], clip)
            assert found is not None
            assert found.data.tolist() == [index] * 3
        keep(writer, 0, 1, 2)
        done = writer.close()
    assert (done.audio_s, done.standing) == (2.0, 2)
    assert pieces(tmp_path) == []
    assert len(Shard(tmp_path / "part-00000.h5")) == 3


@pytest.mark.usefixtures("save_at_once")
def test_saved_rows_are_held_on_disk_instead_of_in_memory(tmp_path: Path) -> None:
    with writer_of(toy_task("keep"), tmp_path) as writer:
        row = toy_row(writer.task.clips[0])
        writer.keep(0, [row], 2.0)
        (held,) = writer._rows[0]
        assert held.data is not row.data
        assert held.data.tolist() == row.data.tolist()
        assert not held.data.flags.owndata


def test_many_bytes_are_saved_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_writer, "SECONDS_PER_PIECE", 1e9)
    monkeypatch.setattr(shard_writer, "BYTES_PER_PIECE", 2 * 3 * 2)  # two rows of three samples
    with writer_of(toy_task(*["keep"] * 3), tmp_path) as writer:
        keep(writer, 0, 1)
        assert pieces(tmp_path) == []
        keep(writer, 2)
        assert [len(Shard(piece)) for piece in pieces(tmp_path)] == [3]


def test_a_clip_tried_alone_is_saved_and_the_shard_left_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_writer, "SECONDS_PER_PIECE", 1e9)
    with writer_of(toy_task(*["keep"] * 3, only=(1,)), tmp_path) as writer:
        assert [index for index, _ in writer.todo] == [1]
        keep(writer, 1)
        writer.close()
    assert list(tmp_path.glob("*.h5")) == []
    assert [list(Shard(piece).columns["clip_id"]) for piece in pieces(tmp_path)] == [["t/1"]]


def test_a_clip_that_killed_its_worker_is_rejected_before_anything_is_done(tmp_path: Path) -> None:
    with writer_of(toy_task("keep", "kill", crashed={1: "SIGKILL"}), tmp_path) as writer:
        assert [index for index, _ in writer.todo] == [0]
        (reject,) = writer.close().rejects
    assert (reject.clip_id, reject.reason) == ("t/1", "crashed")
    assert "SIGKILL" in reject.detail


def test_without_rows_there_is_no_shard(tmp_path: Path) -> None:
    with writer_of(toy_task("reject"), tmp_path) as writer:
        writer.reject(0, AudioError("silent", "0.wav is silent"))
        assert writer.close().num_rows == 0
    assert list(tmp_path.rglob("*.h5")) == []


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with (
        writer_of(toy_task("keep", source=tmp_path / "part-00007.h5"), tmp_path) as writer,
        pytest.raises(ShardError, match=r"part-00007\.h5"),
    ):
        writer.source()
