"""Stage denoise: keeps usable clips, lists the others, and does not stop for one of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from featurize.audio import dequantise, load_audio
from featurize.denoise import DenoiseParams
from featurize.errors import RejectsError
from featurize.shards import Row, Shard, list_shards, write_shard
from featurize.tier0 import Tier0Params, tier0
from pipeline.audit.hashing import hash_audio
from pipeline.extraction import grouping
from pipeline.protocol.manifest_file import SHARD_COLUMNS, read_manifest
from pipeline.protocol.provenance import this_maker
from pipeline.span import Span
from pipeline.stages.denoise import denoise
from tests.pipeline.made_up import manifest_row, write_manifest


def make_manifest(data: Path, paths: list[Path]) -> None:
    write_manifest(data, [manifest_row(n, path, speaker=f"s{n}") for n, path in enumerate(paths)])


def noise_files(folder: Path, lengths: list[int]) -> list[Path]:
    random = np.random.default_rng(0)
    paths = [folder / f"{number}.wav" for number in range(len(lengths))]
    for path, length in zip(paths, lengths, strict=True):
        soundfile.write(path, random.normal(0, 0.1, length), 16_000)
    return paths


def test_waveforms_and_fields_are_those_of_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 2)
    paths = noise_files(tmp_path, [4000, 2, 8000])
    make_manifest(tmp_path, paths)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    shards = [Shard(path) for path in list_shards(tmp_path / "denoised")]
    assert [len(shard) for shard in shards] == [2, 1]
    assert json.loads(shards[0].attributes["denoiser"]) == {"name": "none", "sha256": "", "trained_on": []}
    rows = [(shard, row) for shard in shards for row in range(len(shard))]
    for path, clip, (shard, row) in zip(
        paths, read_manifest(tmp_path / "manifest.csv").to_dict("records"), rows, strict=True
    ):
        fields = shard.fields(row)
        peak = fields.pop("peak")
        assert fields.pop("denoised_by") == this_maker("cpu").digest
        stored = {name: clip[name] for name in SHARD_COLUMNS}
        assert fields == {**stored, "denoised": False, "channel": "mono", "track": 1}
        waveform = dequantise(shard.data(row), peak)
        np.testing.assert_allclose(waveform, load_audio(path), atol=0.5 / 32767)


def test_bad_clips_are_listed_and_their_neighbours_unchanged(tmp_path: Path) -> None:
    good = noise_files(tmp_path, [4000, 5000])
    empty, silent, text = tmp_path / "empty.wav", tmp_path / "silent.wav", tmp_path / "text.wav"
    empty.touch()
    soundfile.write(silent, np.zeros(100), 16_000)
    text.write_bytes(b"\0not audio")
    make_manifest(tmp_path, [good[0], empty, silent, tmp_path / "missing.wav", tmp_path, text, good[1]])
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.9)
    shard = Shard(list_shards(tmp_path / "denoised")[0])
    assert shard.columns["clip_id"].tolist() == ["t/0", "t/6"]
    rejects = pd.read_csv(tmp_path / "denoised" / "rejects.csv")
    # No manifest lists an empty file: it was not empty then.
    assert rejects["reason"].tolist() == ["changed", "silent", "missing", "directory", "undecodable"]
    assert rejects["clip_id"].tolist() == ["t/1", "t/2", "t/3", "t/4", "t/5"]


def test_a_clip_changed_since_the_manifest_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    paths = noise_files(tmp_path, [4000, 4000])
    make_manifest(tmp_path, paths)
    soundfile.write(paths[0], 0.5 * np.sin(np.arange(4000)), 16_000)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.5)
    assert pd.read_csv(tmp_path / "denoised" / "rejects.csv")["reason"].tolist() == ["changed"]


def test_too_many_rejects_stop_the_stage(tmp_path: Path) -> None:
    make_manifest(tmp_path, [tmp_path / "missing.wav", *noise_files(tmp_path, [4000])])
    with pytest.raises(RejectsError, match="1 of 2 clips rejected"):
        denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.1)


def test_shards_of_an_earlier_larger_manifest_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 1)
    paths = noise_files(tmp_path, [400, 400])
    make_manifest(tmp_path, paths)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    make_manifest(tmp_path, paths[:1])
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    assert [path.name for path in list_shards(tmp_path / "denoised")] == ["part-00000.h5"]


def test_a_shard_of_an_older_version_gets_its_new_column_without_its_audio(tmp_path: Path) -> None:
    paths = noise_files(tmp_path, [4000, 8000])
    rows = [manifest_row(n, path, dominance=str(n)) for n, path in enumerate(paths)]
    write_manifest(tmp_path, rows)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    (path,) = list_shards(tmp_path / "denoised")
    shard = Shard(path)
    old = [Row(shard.fields(n), shard.data(n)) for n in range(2)]
    for row in old:
        del row.columns["dominance"]
    write_shard(path, "waveform", old, shard.attributes)
    for audio in paths:
        audio.unlink()
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    again = Shard(path)
    assert again.columns["dominance"].tolist() == ["0", "1"]
    assert all(np.array_equal(again.data(n), old[n].data) for n in range(2))


def test_gate_and_dry_share_are_recorded_and_decide_about_reuse(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noisy, short = noise_files(tmp_path, [16_000, 400])
    clean = tmp_path / "clean.wav"
    bursts = np.random.default_rng(1).normal(0, 0.1, 16_000) * (np.arange(16_000) // 1_600 % 2)
    soundfile.write(clean, bursts + np.random.default_rng(2).normal(0, 1e-4, 16_000), 16_000, subtype="FLOAT")
    make_manifest(tmp_path, [noisy, clean, short])
    params = DenoiseParams(model="compact", gate_snr_db=20.0)
    caplog.set_level("INFO")
    for _ in range(2):  # the second time from what the first left
        caplog.clear()
        denoise(params, tmp_path, tmp_path / "reports", 0.0)
        shard = Shard(tmp_path / "denoised" / "part-00000.h5")
        assert shard.columns["denoised"].tolist() == [True, False, True]
        assert json.loads(shard.attributes["denoise"]) == {
            "model": "compact",
            "dry": 0.0,
            "precision": "fp32",
            "gate_snr_db": 20.0,
        }
        assert "1 of 3 clips not denoised (gate at 20 dB)" in caplog.text
    waveform = dequantise(shard.data(1), shard.fields(1)["peak"])
    np.testing.assert_allclose(waveform, load_audio(clean), atol=0.5 / 32767)
    reference = tier0(noisy, Tier0Params(denoise=params)).denoised
    np.testing.assert_allclose(dequantise(shard.data(0), shard.fields(0)["peak"]), reference, atol=1e-4)
    gated = shard.data(1).copy()
    caplog.clear()
    denoise(DenoiseParams(model="compact", dry=0.5), tmp_path, tmp_path / "reports", 0.0)
    shard = Shard(tmp_path / "denoised" / "part-00000.h5")
    assert shard.columns["denoised"].tolist() == [True, True, True]
    assert not np.array_equal(shard.data(1), gated)
    assert "not denoised" not in caplog.text


@pytest.mark.parametrize("ending", ["wav", "ogg"])
def test_a_part_of_a_file_is_as_if_it_were_a_file_of_its_own(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"long.{ending}"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 32_000), 16_000)
    parts = [Span(0.0, 0.5), Span(0.5, 1.25), Span(1.25, None), Span(1.5, 9.0)]
    make_manifest(tmp_path, [path] * 4)
    table = pd.read_csv(tmp_path / "manifest.csv", dtype=str, keep_default_na=False)
    table["start_s"] = [str(part.start_s) for part in parts]
    table["end_s"] = ["" if part.end_s is None else str(part.end_s) for part in parts]
    table["sha256"] = [part.digest(hash_audio(path)) for part in parts]
    table.to_csv(tmp_path / "manifest.csv", index=False)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.5)
    shard = Shard(tmp_path / "denoised" / "part-00000.h5")
    assert len(shard) == 3
    for row, part in enumerate(parts[:3]):
        waveform = dequantise(shard.data(row), shard.fields(row)["peak"])
        np.testing.assert_allclose(waveform, load_audio(path, **part._asdict()), atol=0.5 / 32767)
        assert shard.fields(row)["start_s"] == str(part.start_s)
    assert "bad-segment" in (tmp_path / "denoised" / "rejects.csv").read_text()
