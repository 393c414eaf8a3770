"""Fingerprints of a corpus are computed once, with any engine, for any files."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from featurize.audio import LoadParams, load_audio
from featurize.fingerprint import FINGERPRINT_RATE, fingerprint
from featurize.shards import list_shards
from pipeline.audit import fingerprints
from pipeline.audit.finding import Entry
from pipeline.audit.fingerprints import fingerprint_clips
from pipeline.corpora.clip import Clip
from pipeline.extraction import grouping
from pipeline.extraction.engine import InProcess
from pipeline.extraction.workers import LocalEngine

HERE = Path(__file__).resolve().parent


def entries_of(paths: list[Path]) -> list[Entry]:
    return [Entry(Clip(p.stem, p, "x", "s", "", "sad"), "sad", f"digest of {p.stem}", "train") for p in paths]


@pytest.fixture
def entries(small_run: Any) -> list[Entry]:
    return entries_of(sorted((small_run.data / "raw" / "demo").rglob("*.wav"))[:4])


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are decoded in this process."""
    names: list[str] = []

    def spy(path: Path, rate: int, **options: Any) -> Any:
        names.append(path.name)
        return load_audio(path, rate, **options)

    monkeypatch.setattr(fingerprints, "load_audio", spy)
    return names


def test_fingerprints_equal_those_of_the_audio(entries: list[Entry], tmp_path: Path) -> None:
    found = fingerprint_clips(entries, tmp_path, InProcess())
    assert list(found) == [entry.sha256 for entry in entries]
    for entry in entries:
        alone = fingerprint(load_audio(entry.clip.path, FINGERPRINT_RATE))
        assert np.array_equal(found[entry.sha256], alone)


def test_the_fingerprint_of_a_part(entries: list[Entry], tmp_path: Path) -> None:
    whole = entries[0].clip
    parts = [replace(whole, start_s=start, end_s=start + 0.6) for start in (0.0, 0.5)]
    prints = fingerprint_clips(
        [Entry(p, "sad", f"part {p.start_s}", "train") for p in parts], tmp_path, InProcess()
    )
    for clip in parts:
        alone = fingerprint(load_audio(whole.path, FINGERPRINT_RATE, clip.start_s or 0.0, clip.end_s))
        assert np.array_equal(prints[f"part {clip.start_s}"], alone)


def test_they_are_of_the_channel_and_of_the_lengths_that_the_features_are_of(
    entries: list[Entry], tmp_path: Path
) -> None:
    left, rate = soundfile.read(entries[0].clip.path)
    right = np.resize(soundfile.read(entries[1].clip.path)[0], len(left))
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([left, right], axis=1), rate)
    short = tmp_path / "short.wav"
    soundfile.write(short, left[: rate // 2], rate)
    clips = entries_of([path, short])
    found = {}
    for channel in ("mix", "left", "right"):
        load = LoadParams(channel=channel, min_clip_s=0.6)
        prints = fingerprint_clips(clips, tmp_path / "prints", InProcess(), load)
        alone = fingerprint(load_audio(path, FINGERPRINT_RATE, params=load))
        assert list(prints) == ["digest of stereo"]  # the other one is too short
        assert np.array_equal(prints["digest of stereo"], alone)
        found[channel] = alone.tobytes()
    assert len(set(found.values())) == 3


def test_fingerprints_do_not_depend_on_processes(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 2)
    alone = fingerprint_clips(entries, tmp_path / "one", InProcess())
    together = fingerprint_clips(entries, tmp_path / "two", LocalEngine(2))
    assert list(together) == list(alone)
    assert all(np.array_equal(alone[digest], together[digest]) for digest in alone)


def test_a_second_run_decodes_nothing(entries: list[Entry], tmp_path: Path, decoded: list[str]) -> None:
    first = fingerprint_clips(entries, tmp_path, InProcess())
    (shard,) = list_shards(tmp_path)
    before = shard.stat().st_mtime_ns
    decoded.clear()
    fingerprint_clips(entries, tmp_path, InProcess())
    assert shard.stat().st_mtime_ns == before
    fewer = fingerprint_clips(entries[1:], tmp_path, InProcess())
    assert decoded == []
    assert list(fewer) == [entry.sha256 for entry in entries[1:]]
    assert all(np.array_equal(first[digest], words) for digest, words in fewer.items())


@pytest.mark.parametrize("version", ["VERSION", "LOAD_VERSION"])
def test_fingerprints_of_another_version_are_not_reused(
    version: str, entries: list[Entry], tmp_path: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint_clips(entries, tmp_path, InProcess())
    decoded.clear()
    monkeypatch.setattr(fingerprints, version, "0")
    fingerprint_clips(entries, tmp_path, InProcess())
    assert len(decoded) == len(entries)


def test_a_damaged_file_is_computed_again(
    entries: list[Entry], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = fingerprint_clips(entries, tmp_path, InProcess())
    (shard,) = list_shards(tmp_path)
    data = bytearray(shard.read_bytes())
    data[len(data) // 2 :] = os.urandom(len(data) - len(data) // 2)
    shard.write_bytes(data)
    again = fingerprint_clips(entries, tmp_path, InProcess())
    assert all(np.array_equal(first[digest], again[digest]) for digest in first)
    assert "made anew" in caplog.text


def test_what_cannot_be_decoded_is_skipped_and_counted(
    entries: list[Entry], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    shutil.copy(entries[0].clip.path, tmp_path / "gone.wav")
    text, gone = entries_of([tmp_path / "text.wav", tmp_path / "gone.wav"])
    bad = [replace(text, sha256=hashlib.sha256(b"no audio").hexdigest()), gone]
    (tmp_path / "gone.wav").unlink()
    found = fingerprint_clips([*bad, *entries], tmp_path / "prints", InProcess())
    assert list(found) == [entry.sha256 for entry in entries]
    assert (
        "2 clips have no fingerprint, and will be rejected by the stage denoise: text (undecodable), gone"
        in (caplog.text)
    )
    reasons = pd.read_csv(tmp_path / "prints" / "rejects.csv").set_index("clip_id")["reason"]
    assert dict(reasons) == {"text": "undecodable", "gone": "missing"}
    assert fingerprint_clips(bad, tmp_path / "none", InProcess()) == {}


def test_only_the_clip_that_kills_its_decoder_is_lost(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE.parent / "extraction"))  # worker processes take it over
    monkeypatch.setenv("SER_TEST_ORDERS", str(tmp_path))
    from deadly import DeadlyFingerprints

    monkeypatch.setattr(fingerprints, "FingerprintJob", DeadlyFingerprints)
    monkeypatch.setattr(fingerprints, "load_audio", fingerprints.load_audio)  # put back what the job replaces
    (tmp_path / entries[1].clip.path.name).write_text("die")
    found = fingerprint_clips(entries, tmp_path / "prints", LocalEngine(1))
    assert list(found) == [entry.sha256 for entry in (entries[0], *entries[2:])]
    (reject,) = pd.read_csv(tmp_path / "prints" / "rejects.csv").to_dict("records")
    assert (reject["clip_id"], reject["reason"]) == (entries[1].clip_id, "crashed")
