"""Hidden states are those of transformers' own forward pass, for every family."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from featurize.encoders.families import CLASSES, load_family
from featurize.encoders.hub import find_encoder
from featurize.errors import WeightsError
from tests.featurize.encoders.toy_encoders import FAMILIES, LAYERS, SIZE, save_toy


def noise(num_samples: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(num_samples).astype(np.float32) / 4)


def test_every_family_is_tested() -> None:
    assert {family.removesuffix("-layer") for family in FAMILIES} == set(CLASSES)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "whisper"])
def test_states_are_those_of_transformers(tmp_path: Path, family: str) -> None:
    states = load_family(find_encoder(str(save_toy(tmp_path, family))), "cpu")
    model: Any = transformers.AutoModel.from_pretrained(tmp_path).eval()
    waveform = noise(9_999)
    expected_input = transformers.Wav2Vec2FeatureExtractor()(
        waveform.numpy(), sampling_rate=16_000, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = model(expected_input["input_values"], output_hidden_states=True).hidden_states
        found = states(waveform)
    assert len(found) == len(expected) == LAYERS + 1 == states.num_states
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == ((9_999 - 400) // 320 + 1, SIZE)
        torch.testing.assert_close(ours, theirs[0])


def test_whispers_states_are_those_of_transformers_where_a_clip_fills_its_window(tmp_path: Path) -> None:
    """transformers takes nothing but whole windows: this one is as long as the clip with its silence."""
    num_samples = 28_000
    save_toy(tmp_path, "whisper", max_source_positions=(num_samples + 4_000) // 320)
    states = load_family(find_encoder(str(tmp_path)), "cpu")
    model: Any = transformers.WhisperModel.from_pretrained(tmp_path).get_encoder().eval()
    waveform = noise(num_samples)
    mel = transformers.WhisperFeatureExtractor()(
        np.pad(waveform.numpy(), (0, 4_000)), sampling_rate=16_000, padding="do_not_pad", return_tensors="pt"
    )
    with torch.inference_mode():
        expected = model(mel["input_features"], output_hidden_states=True)
        found = states(waveform)
    assert len(found) == LAYERS + 1
    assert found[-1].shape == (-(-num_samples // 320), SIZE)
    torch.testing.assert_close(found[-1], expected.last_hidden_state[0, : len(found[-1])])
    for ours, theirs in zip(found[:-1], expected.hidden_states, strict=False):
        torch.testing.assert_close(ours, theirs[0, : len(ours)])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("num_samples", [1, 399, 401, 640])
def test_the_shortest_clips_have_a_frame(tmp_path: Path, family: str, num_samples: int) -> None:
    states = load_family(find_encoder(str(save_toy(tmp_path, family))), "cpu")
    with torch.inference_mode():
        assert all(len(state) >= 1 and torch.isfinite(state).all() for state in states(noise(num_samples)))


def test_weights_of_another_shape_or_model_are_one_line(tmp_path: Path) -> None:
    small, large = (
        save_toy(tmp_path / "small", "hubert"),
        save_toy(tmp_path / "large", "hubert", hidden_size=32),
    )
    (small / "model.safetensors").write_bytes((large / "model.safetensors").read_bytes())
    with pytest.raises(WeightsError, match=r"small cannot be loaded") as error:
        load_family(find_encoder(str(small)), "cpu")
    assert "\n" not in str(error.value)
    other = save_toy(tmp_path / "other", "whisper")
    (small / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    with pytest.raises(WeightsError, match=r"small.* lacks .*is it the file of another model\?"):
        load_family(find_encoder(str(small)), "cpu")


def test_another_family_is_one_line(tmp_path: Path) -> None:
    folder = save_toy(tmp_path, "hubert")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(WeightsError, match=r"of the family 'bert'; use one of whisper, wav2vec2, hubert"):
        load_family(find_encoder(str(folder)), "cpu")


def test_other_strides_and_rates_are_refused(tmp_path: Path) -> None:
    folder = save_toy(tmp_path / "a", "hubert", conv_stride=(5, 2, 2, 2, 2, 2, 1))
    with pytest.raises(WeightsError, match="frames of 160 samples, not 320"):
        load_family(find_encoder(str(folder)), "cpu")
    folder = save_toy(tmp_path / "b", "hubert")
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=8_000).save_pretrained(folder)
    with pytest.raises(WeightsError, match="is for 8000 Hz"):
        load_family(find_encoder(str(folder)), "cpu")


def test_a_missing_package_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    files = find_encoder(str(save_toy(tmp_path, "hubert")))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(WeightsError, match=r"transformers is not installed; pip install 'ser\[encoders\]'"):
        load_family(files, "cpu")
