"""Functionals are openSMILE's own of the clip's file, whatever came before, and are computed once."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import opensmile
import pytest
import soundfile
import torch

from featurize.audio import dequantise
from featurize.errors import TrainingError
from featurize.shards import Shard, list_shards
from model.baseline.baseline_params import OPENSMILE, OpensmileSet
from pipeline.extraction import opensmile_sets
from pipeline.extraction.engine import InProcess
from pipeline.extraction.opensmile_sets import clip_functionals, load_set
from pipeline.extraction.workers import LocalEngine

SIZES: dict[OpensmileSet, int] = {"egemaps": 88, "compare": 6373}


@pytest.fixture
def data(small_run: Any, tmp_path: Path) -> Path:
    """A data folder with the small run's waveforms."""
    (tmp_path / "denoised").symlink_to(small_run.data / "denoised")
    return tmp_path


@pytest.fixture
def waveforms(small_run: Any) -> list[torch.Tensor]:
    """Of three clips, and a tone of full level, whose largest sample must not become the smallest."""
    shard = Shard(list_shards(small_run.data / "denoised")[0])
    tone = torch.sin(2 * torch.pi * 200 * torch.arange(16_000) / 16_000)
    assert tone.max() == 1
    return [*(dequantise(shard.data(row), shard.columns["peak"][row]) for row in (0, 7, 14)), tone]


@pytest.mark.parametrize("name", OPENSMILE)
def test_values_are_those_of_opensmile_for_a_file(
    tmp_path: Path, waveforms: list[torch.Tensor], name: OpensmileSet
) -> None:
    functionals = load_set(name)
    smile = opensmile.Smile(opensmile.FeatureSet[OPENSMILE[name]], opensmile.FeatureLevel.Functionals)
    found = [functionals(waveform) for waveform in waveforms]
    for waveform, values in reversed(list(zip(waveforms, found, strict=True))):
        assert values.shape == (SIZES[name],)
        np.testing.assert_array_equal(functionals(waveform), values)
        samples = np.round(waveform.numpy() * 32767).astype(np.int16)
        soundfile.write(tmp_path / "clip.wav", samples, 16_000)
        expected = smile.process_file(tmp_path / "clip.wav").to_numpy()[0]
        np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize("name", OPENSMILE)
@pytest.mark.parametrize("num_samples", [1, 959, 961, 8000])
def test_short_and_silent_clips_have_finite_values(name: OpensmileSet, num_samples: int) -> None:
    functionals = load_set(name)
    for waveform in (torch.zeros(num_samples), torch.linspace(-1, 1, num_samples)):
        values = functionals(waveform)
        assert values.shape == (SIZES[name],)
        assert np.isfinite(values).all()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the waveforms whose functionals are computed in this process, as their mean and deviation."""
    lengths: list[int] = []

    def load(_name: OpensmileSet) -> Any:
        def functionals(waveform: torch.Tensor) -> Any:
            lengths.append(len(waveform))
            return np.array([waveform.mean(), waveform.std()], np.float32)

        return functionals

    monkeypatch.setattr(opensmile_sets, "load_set", load)
    return lengths


def test_what_is_done_is_not_done_again(
    data: Path, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clip_functionals("egemaps", data, InProcess())
    assert len(computed) == len(first) == 20
    clip_functionals("compare", data, InProcess())  # the sets stand beside one another
    second = clip_functionals("egemaps", data, InProcess())
    assert len(computed) == 40
    assert first.keys() == second.keys()
    shard = Shard(list_shards(data / "denoised")[0])
    for row in range(len(shard)):
        waveform = dequantise(shard.data(row), shard.columns["peak"][row])
        expected = [float(waveform.mean()), float(waveform.std())]
        for found in (first, second):
            assert found[shard.columns["sha256"][row]].tolist() == pytest.approx(expected)
    monkeypatch.setattr(opensmile, "__version__", "another")
    clip_functionals("egemaps", data, InProcess())
    assert len(computed) == 60
    step = json.loads(Shard(list_shards(data / "functionals" / "egemaps")[0]).attributes["opensmile_step"])
    assert step == {"set": "eGeMAPSv02", "opensmile": "another", "version": opensmile_sets.VERSION}


def test_workers_make_the_same(data: Path, waveforms: list[torch.Tensor]) -> None:
    found = clip_functionals("egemaps", data, LocalEngine(1))
    assert len(found) == 20
    shard = Shard(list_shards(data / "denoised")[0])
    functionals = load_set("egemaps")
    for row, waveform in zip((0, 7, 14), waveforms, strict=False):
        np.testing.assert_array_equal(found[shard.columns["sha256"][row]], functionals(waveform))


def test_a_missing_package_is_one_line_before_any_work(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(
        TrainingError, match=r"pip install 'ser\[opensmile\]' \(for non-commercial use only"
    ) as error:
        clip_functionals("compare", data, InProcess())
    assert "\n" not in str(error.value)
    assert not (data / "functionals").exists()
