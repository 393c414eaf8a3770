"""Normalisation and deltas equal a simple loop."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from featurize.errors import TrainingError
from model.batches import Features
from model.logits import predict_logits
from model.network.normalisation import add_deltas, normalise_clips, normalise_speakers
from model.network.tier1 import NetworkParams, build_network


def test_deltas_are_the_regression_formula_with_the_ends_repeated() -> None:
    rng = np.random.default_rng(0)
    lengths = [9, 1, 4]
    x = torch.full((3, 2, 9), 1e6)
    for row, length in zip(x, lengths, strict=True):
        row[:, :length] = torch.from_numpy(rng.standard_normal((2, length)))
    y = add_deltas(x, torch.tensor(lengths), 2)

    def slopes(clip: np.ndarray) -> np.ndarray:
        padded = np.pad(clip, ((0, 0), (2, 2)), mode="edge")
        later = [padded[:, 2 + n : 2 + n + clip.shape[1]] for n in (-2, -1, 1, 2)]
        return (-2 * later[0] - later[1] + later[2] + 2 * later[3]) / 10

    assert torch.equal(y[:, :2], x)
    for row, length in enumerate(lengths):
        first = slopes(x[row, :, :length].numpy())
        assert np.allclose(y[row, 2:4, :length], first, atol=1e-5)
        assert np.allclose(y[row, 4:6, :length], slopes(first), atol=1e-5)


def test_a_normalised_clip_has_mean_0_and_deviation_1_and_padding_stays_0() -> None:
    x, valid = 5 + 3 * torch.randn(2, 3, 8), torch.ones(2, 1, 8)
    valid[1, :, 5:] = 0
    y = normalise_clips(x * valid, valid)
    for row, length in enumerate((8, 5)):
        assert torch.allclose(y[row, :, :length].mean(1), torch.zeros(3), atol=1e-6)
        assert torch.allclose(y[row, :, :length].std(1, unbiased=False), torch.ones(3), atol=1e-5)
    assert torch.all(y[1, :, 5:] == 0)


def speakers(
    features: Features, names: list[str], copies: list[str] | None = None, voices: list[str] | None = None
) -> Features:
    columns = {"speaker": np.array(names, dtype=object)}
    if copies is not None:
        columns["augmentation"] = np.array(copies, dtype=object)
    if voices is not None:
        columns["voice"] = np.array(voices, dtype=object)
    return Features({"mfcc": features.views["mfcc"]}, features.labels, columns)


def test_speakers_are_standardised_over_all_their_own_clips(toy_features: Callable[..., Features]) -> None:
    features = speakers(toy_features(6, 0), ["a", "b", "a", "b", "a", "a"], ["", "", "", "", "", "noise"])
    done = normalise_speakers(features)
    for name, rows in (("a", [0, 2, 4]), ("b", [1, 3])):
        frames = np.concatenate([done.views["mfcc"][row] for row in rows])
        assert np.allclose(frames.mean(0), 0, atol=1e-5), name
        assert np.allclose(frames.std(0), 1, atol=1e-5), name
    own = np.concatenate([features.views["mfcc"][row] for row in (0, 2, 4)])
    assert np.allclose(
        done.views["mfcc"][5], (features.views["mfcc"][5] - own.mean(0)) / own.std(0), atol=1e-4
    )
    with pytest.raises(TrainingError, match="needs the speaker of every clip"):
        normalise_speakers(speakers(features, ["a", "b", "", "b", "a", "a"]))


def test_a_changed_voice_is_a_separate_speaker(toy_features: Callable[..., Features]) -> None:
    copies = ["", "", "1-voice+1.00x0.90", "1-voice+1.00x0.90", "2-voice+1.00x0.90", "1-pitch+1.00"]
    voices = ["", "", "1+1.00x0.90", "1+1.00x0.90", "2+1.00x0.90", ""]
    features = speakers(toy_features(6, 0), ["a"] * 6, copies, voices)
    done = normalise_speakers(features)
    for rows in ([0, 1], [2, 3], [4]):
        frames = np.concatenate([done.views["mfcc"][row] for row in rows])
        assert np.allclose(frames.mean(0), 0, atol=1e-5)
        assert np.allclose(frames.std(0), 1, atol=1e-5)
    own = np.concatenate([features.views["mfcc"][row] for row in (0, 1)])
    assert np.allclose(
        done.views["mfcc"][5], (features.views["mfcc"][5] - own.mean(0)) / own.std(0), atol=1e-4
    )


def test_a_level_of_the_speaker_reaches_the_logits_only_under_global_normalisation(
    toy_params: NetworkParams, toy_features: Callable[..., Features]
) -> None:
    features = toy_features(6, 0)
    plain = speakers(features, ["a"] * 6)
    louder = Features(
        {"mfcc": [2 * clip + 50 for clip in features.views["mfcc"]]}, features.labels, plain.columns
    )
    for normalisation, same in (("global", False), ("clip", True), ("speaker", True)):
        params = NetworkParams.model_validate({**toy_params.model_dump(), "normalisation": normalisation})
        network = build_network(4, 3, params, 0)
        close = torch.allclose(predict_logits(network, plain), predict_logits(network, louder), atol=1e-4)
        assert close == same, normalisation
