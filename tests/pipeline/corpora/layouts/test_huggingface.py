"""Hugging Face: recordings are taken out of Parquet files once, and under names that a file can have."""

import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from featurize.errors import CorpusError
from pipeline.corpora.layouts.huggingface import read
from tests.pipeline.corpora.layouts.same_corpus import CLIPS, hub_parquet, write_audio


def write(path: Path, paths: list[str | None], **columns: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = [{"bytes": b"RIFF\0%d" % number, "path": name} for number, name in enumerate(paths)]
    parquet.write_table(pa.table({"audio": audio, "label": ["happy"] * len(paths)} | columns), path)


def test_recordings_are_taken_out_once_and_again_if_the_file_has_changed(tmp_path: Path) -> None:
    root = hub_parquet(tmp_path)
    first = read(root).clips[0].path
    assert isinstance(first, Path)
    before = first.stat().st_mtime_ns
    assert read(root).clips[0].path.stat().st_mtime_ns == before  # type: ignore[union-attr]
    time.sleep(0.01)
    write(root / "data" / "train-00000-of-00001.parquet", ["a1.wav"])
    assert read(root).clips
    assert (root / "data" / "train-00000-of-00001.audio" / "a1.wav").read_bytes() == b"RIFF\x000"


def test_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    names: list[str | None] = [
        "../../evil.wav",
        "/etc/passwd.wav",
        "..",
        None,
        ".hidden.wav",
        "x/same.wav",
        "y/same.wav",
    ]
    write(tmp_path / "corpus" / "train.parquet", names)
    clips = read(tmp_path / "corpus").clips
    folder = tmp_path / "corpus" / "train.audio"
    assert len(clips) == len(names)
    assert {Path(str(clip.path)).parent for clip in clips} == {folder}
    assert {path.name for path in tmp_path.iterdir()} == {"corpus"}


def test_speakers_of_several_corpora_are_told_apart(tmp_path: Path) -> None:
    columns = {"speaker_id": ["1", "1"], "dataset": ["one", "two"]}
    write(tmp_path / "train.parquet", ["a.wav", "b.wav"], **columns)
    assert [clip.speaker for clip in read(tmp_path).clips] == ["one/1", "two/1"]


def test_several_configurations_ask_for_one(tmp_path: Path) -> None:
    write(tmp_path / "data" / "one-train.parquet", ["a.wav"])
    write(tmp_path / "data" / "two-train.parquet", ["a.wav"])
    with pytest.raises(CorpusError, match="several configurations: one"):
        read(tmp_path)


def test_an_audiofolder_without_metadata_has_its_classes_as_folders(tmp_path: Path) -> None:
    write_audio(tmp_path / "train" / "happy", CLIPS[:1])
    write_audio(tmp_path / "test" / "sad", CLIPS[1:2])
    clips = read(tmp_path).clips
    assert [(clip.corpus, clip.emotion, clip.split) for clip in clips] == [
        ("huggingface", "sad", "test"),
        ("huggingface", "happy", "train"),
    ]
