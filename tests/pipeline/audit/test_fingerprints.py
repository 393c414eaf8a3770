"""Fingerprints of a corpus: computed once, in any number of processes, whatever the files hold."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from featurize.audio import load_audio
from featurize.errors import SerError
from featurize.fingerprint import FINGERPRINT_RATE, fingerprint
from pipeline.audit import fingerprints
from pipeline.audit.finding import Entry
from pipeline.audit.fingerprints import fingerprint_clips
from pipeline.corpora.clip import Clip


def entries_of(paths: list[Path]) -> list[Entry]:
    return [Entry(Clip(p.stem, p, "x", "s", "", "sad"), "sad", f"digest of {p.stem}", "train") for p in paths]


@pytest.fixture
def entries(small_run: Any) -> list[Entry]:
    return entries_of(sorted((small_run.data / "raw" / "demo").rglob("*.wav"))[:4])


@pytest.fixture
def no_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Iterator[None]:
        raise AssertionError("computed again")

    monkeypatch.setattr(fingerprints, "_compute", refuse)


def test_they_are_those_of_the_audio(entries: list[Entry], tmp_path: Path) -> None:
    found = fingerprint_clips(entries, tmp_path / "f.h5")
    assert list(found) == [entry.sha256 for entry in entries]
    for entry in entries:
        alone = fingerprint(load_audio(entry.clip.path, FINGERPRINT_RATE))
        assert np.array_equal(found[entry.sha256], alone)


def test_processes_change_nothing(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = fingerprint_clips(entries, tmp_path / "one.h5")
    monkeypatch.setattr(fingerprints, "_CLIPS_PER_PROCESS", 2)
    monkeypatch.setattr(fingerprints, "_num_cores", lambda: 2)
    together = fingerprint_clips(entries, tmp_path / "two.h5")
    assert list(together) == list(alone)
    assert all(np.array_equal(alone[digest], together[digest]) for digest in alone)


def test_a_second_run_computes_nothing(
    entries: list[Entry], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first = fingerprint_clips(entries, tmp_path / "f.h5")
    before = (tmp_path / "f.h5").stat().st_mtime_ns
    request.getfixturevalue("no_computing")
    again = fingerprint_clips(entries[1:], tmp_path / "f.h5")
    assert sorted(again) == sorted(entry.sha256 for entry in entries[1:])
    assert all(np.array_equal(first[digest], words) for digest, words in again.items())
    assert (tmp_path / "f.h5").stat().st_mtime_ns == before


def test_new_clips_are_added_and_gone_ones_forgotten(entries: list[Entry], tmp_path: Path) -> None:
    fingerprint_clips(entries[:2], tmp_path / "f.h5")
    fingerprint_clips(entries[1:3], tmp_path / "f.h5")
    assert sorted(fingerprints._read(tmp_path / "f.h5")) == sorted(e.sha256 for e in entries[1:3])


def test_a_damaged_file_is_made_anew(
    entries: list[Entry], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = fingerprint_clips(entries, tmp_path / "f.h5")
    data = bytearray((tmp_path / "f.h5").read_bytes())
    data[len(data) // 2 :] = os.urandom(len(data) - len(data) // 2)
    (tmp_path / "f.h5").write_bytes(data)
    again = fingerprint_clips(entries, tmp_path / "f.h5")
    assert all(np.array_equal(first[digest], again[digest]) for digest in first)
    assert "fingerprints are made anew" in caplog.text


def test_another_version_is_not_taken(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint_clips(entries, tmp_path / "f.h5")
    monkeypatch.setattr(fingerprints, "VERSION", "0")
    assert fingerprints._read(tmp_path / "f.h5") == {}


def test_what_cannot_be_decoded_is_skipped_and_counted(
    entries: list[Entry], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    shutil.copy(entries[0].clip.path, tmp_path / "gone.wav")
    bad = entries_of([tmp_path / "text.wav", tmp_path / "gone.wav"])
    (tmp_path / "gone.wav").unlink()
    found = fingerprint_clips([*bad, *entries], tmp_path / "f.h5")
    assert list(found) == [entry.sha256 for entry in entries]
    assert "2 clips cannot be decoded" in caplog.text
    assert fingerprint_clips(bad, tmp_path / "none.h5") == {}
    assert not (tmp_path / "none.h5").exists()


class _Killed:
    """A pool whose processes are killed."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> "_Killed":
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, *_: Any, **__: Any) -> Iterator[None]:
        raise BrokenProcessPool("terminated abruptly")


def test_a_killed_process_is_one_line(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "_CLIPS_PER_PROCESS", 2)
    monkeypatch.setattr(fingerprints, "_num_cores", lambda: 2)
    monkeypatch.setattr(fingerprints, "ProcessPoolExecutor", _Killed)
    with pytest.raises(SerError, match=r"was killed.*audit\.fingerprint: false"):
        fingerprint_clips(entries, tmp_path / "f.h5")
    assert not (tmp_path / "f.h5").exists()
