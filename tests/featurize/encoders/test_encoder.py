"""A clip's frames are its own, pooled, of the layers that were asked for."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from featurize.encoders.encoder import EncodeParams, Encoder, pool
from featurize.encoders.families import load_family
from featurize.errors import ParamsError
from tests.featurize.encoders.test_families import noise
from tests.featurize.encoders.toy_encoders import FAMILIES, LAYERS, SIZE, save_toy


@given(length=st.integers(1, 30), number=st.integers(1, 8))
def test_frames_are_averaged_in_groups(length: int, number: int) -> None:
    frames = torch.randn(length, 2, 3, generator=torch.Generator().manual_seed(length))
    expected = [frames[start : start + number].mean(0) for start in range(0, length, number)]
    torch.testing.assert_close(pool(frames, number), torch.stack(expected))


@pytest.mark.parametrize("family", FAMILIES)
def test_frames_are_the_same_alone_after_others_and_with_more_threads(tmp_path: Path, family: str) -> None:
    encoder = Encoder(EncodeParams(model=str(save_toy(tmp_path, family))))
    clips = [noise(length, seed) for seed, length in enumerate((16_000, 4_000, 40_001))]
    alone = [encoder(clip) for clip in clips]
    for clip, expected in reversed(list(zip(clips, alone, strict=True))):
        assert_array_equal(encoder(clip), expected)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for clip, expected in zip(clips, alone, strict=True):
            assert_allclose(
                encoder(clip).astype(np.float32), expected.astype(np.float32), atol=2e-3
            )  # of float16
    finally:
        torch.set_num_threads(before)


def test_layers_and_pooling_are_those_of_the_parameters(tmp_path: Path) -> None:
    folder, clip = str(save_toy(tmp_path, "wav2vec2")), noise(20_000)
    every = Encoder(EncodeParams(model=folder, frame_pooling=1))
    assert (every.layers, every.shape) == (tuple(range(LAYERS + 1)), (LAYERS + 1, SIZE))
    frames = every(clip)
    assert frames.dtype == np.float16
    assert frames.shape == ((20_000 - 400) // 320 + 1, LAYERS + 1, SIZE)
    states = load_family(every.files, "cpu")
    with torch.inference_mode():
        expected = torch.stack(states(clip), dim=1)
    assert_array_equal(frames, expected.numpy().astype(np.float16))
    some = Encoder(EncodeParams(model=folder, layers=(2, 0), frame_pooling=3))
    assert_array_equal(some(clip), pool(expected, 3)[:, [2, 0]].numpy().astype(np.float16))


@pytest.mark.parametrize("family", [*FAMILIES, "wav2vec2 of a large size"])
@pytest.mark.parametrize("last", range(LAYERS + 1))
def test_layers_behind_the_last_one_stored_are_not_computed(tmp_path: Path, family: str, last: int) -> None:
    kind, _, large = family.partition(" ")
    folder = save_toy(tmp_path, kind, **({"do_stable_layer_norm": True} if large else {}))
    every = Encoder(EncodeParams(model=str(folder)))
    some = Encoder(EncodeParams(model=str(folder), layers=(last, 0)))
    assert_array_equal(some(noise(9_999)), every(noise(9_999))[:, [last, 0]])
    module = some._states.module  # type: ignore[attr-defined]
    left = len(module.layers if kind == "whisper" else module.encoder.layers)
    assert left == min(LAYERS, last if kind == "whisper" else max(1, last + bool(large)))


@pytest.mark.parametrize("family", ["whisper", "hubert"])
def test_a_long_clip_goes_in_windows(tmp_path: Path, family: str) -> None:
    params = EncodeParams(model=str(save_toy(tmp_path, family)), window_s=4, overlap_s=1)
    encoder, clip = Encoder(params), noise(10 * 16_000)
    frames = encoder(clip)
    assert len(frames) == {"whisper": 250, "hubert": 250}[family]
    assert_array_equal(frames[:87], encoder(clip[: 4 * 16_000])[:87])  # up to the middle of the first overlap


def test_a_layer_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"has the hidden states 0 to 2, not 7"):
        Encoder(EncodeParams(model=str(save_toy(tmp_path, "hubert")), layers=(0, 7)))


def test_the_real_encoder_tells_clips_apart(shared: Path, ravdess_clips: list[Path]) -> None:
    from featurize.audio import load_audio

    encoder = Encoder(EncodeParams(model=str(shared / "encoders" / "whisper-base"), layers=(3,)))
    one, other = (encoder(load_audio(path)) for path in ravdess_clips[:2])
    assert one.shape[1:] == (1, 512)
    means = [frames.astype(np.float32).mean(axis=(0, 1)) for frames in (one, other)]
    assert np.isfinite(means).all()
    assert 0.5 < float(np.dot(*means) / np.linalg.norm(means[0]) / np.linalg.norm(means[1])) < 0.999
