"""Shards return what was written, and detect damage."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurize.atomic import replacing
from featurize.errors import SerError, ShardError
from featurize.shards import Row, Shard, list_shards, write_shard


def waveform_rows(lengths: list[int]) -> list[Row]:
    random = np.random.default_rng(len(lengths))
    return [
        Row(
            columns={"clip_id": f"demo/ä-{i}", "peak": 0.5 + i, "has_speech": i % 2 == 0},
            data=random.integers(-32768, 32767, length).astype(np.int16),
            segments=np.array([[0, length]] * (i % 3), dtype=np.int64).reshape(-1, 2),
            input_speech=random.random(i % 4).astype(np.float16),
        )
        for i, length in enumerate(lengths)
    ]


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(0, 300), min_size=1, max_size=8))
def test_rows_come_back_as_written(tmp_path_factory: pytest.TempPathFactory, lengths: list[int]) -> None:
    path = tmp_path_factory.mktemp("shards") / "part-00000.h5"
    rows = waveform_rows(lengths)
    write_shard(path, "waveform", rows, {"denoiser": "none"})
    shard = Shard(path)
    assert len(shard) == len(rows)
    assert shard.kind == "waveform"
    assert shard.attributes == {"denoiser": "none"}
    for i, row in enumerate(rows):
        np.testing.assert_array_equal(shard.data(i), row.data)
        np.testing.assert_array_equal(shard.segments(i), row.segments)
        np.testing.assert_array_equal(shard.input_speech(i), row.input_speech)
        assert shard.fields(i) == row.columns


def test_mfcc_keeps_its_channels_and_is_mapped(tmp_path: Path) -> None:
    mfcc = np.random.default_rng(0).normal(size=(7, 40)).astype(np.float32)
    write_shard(tmp_path / "a.h5", "mfcc", [Row({"clip_id": "x"}, mfcc)], {})
    data = Shard(tmp_path / "a.h5").data(0)
    np.testing.assert_array_equal(data, mfcc)
    assert isinstance(data, np.memmap)


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        write_shard(tmp_path / name, "waveform", waveform_rows([100, 0, 3]), {"denoiser": "none"})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_every_flipped_byte_of_content_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write_shard(path, "waveform", waveform_rows([50, 60]), {"denoiser": "none"})
    whole, reference = path.read_bytes(), Shard(path)
    for position in range(0, len(whole), 97):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            read = Shard(path)
        except ShardError as error:
            assert str(path) in str(error)
            assert "\n" not in str(error)
            continue
        # HDF5 leaves gaps between its blocks; a byte flipped there changes nothing that is read.
        for i in range(len(reference)):
            np.testing.assert_array_equal(read.data(i), waveform_rows([50, 60])[i].data)
            assert read.fields(i) == waveform_rows([50, 60])[i].columns


@pytest.mark.parametrize("keep", [0, 10, 1000, -1])
def test_a_truncated_shard_is_detected(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.h5"
    write_shard(path, "waveform", waveform_rows([500, 600]), {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ShardError, match="damaged shard"):
        Shard(path)


def test_another_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write_shard(path, "waveform", waveform_rows([5]), {})
    with h5py.File(path, "a") as file:
        file.attrs["version"] = "99"
    with pytest.raises(ShardError, match="format version 99"):
        Shard(path)


def test_missing_shards_are_named(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="no such shard"):
        Shard(tmp_path / "a.h5")
    with pytest.raises(ShardError, match="no shards"):
        list_shards(tmp_path)


def test_rows_of_different_types_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="different columns"):
        write_shard(
            tmp_path / "a.h5", "waveform", [*waveform_rows([4]), Row({"other": 1}, np.zeros(3, np.int16))], {}
        )
    with pytest.raises(ValueError, match="at least one row"):
        write_shard(tmp_path / "a.h5", "waveform", [], {})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_no_shard(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError, match="power cut"), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("new, but not wh")
        raise RuntimeError("power cut")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    with (
        pytest.raises(SerError, match=r"a\.txt: cannot be written \(No space left on device\)"),
        replacing(tmp_path / "a.txt"),
    ):
        raise OSError(28, "No space left on device")
