"""Statistics in one pass are those of numpy over all frames, also of clips that are standardised by speaker."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from featurize.errors import TrainingError
from model.batches import Features
from model.logits import predict_logits
from model.network.tier1 import NetworkParams, SERTier1, build_network
from model.standardisation import measure, standardise_groups, statistics_of
from model.views import Clips, LazyClips, lengths_of
from tests.model.conftest import TOY


class CountedClips(LazyClips):
    """Counts the clips that are made."""

    def __init__(self, clips: Clips) -> None:
        self.clips, self.count = clips, 0
        self.lengths = lengths_of(clips)

    def clip(self, index: int) -> np.ndarray:
        clip = self.clips[index]
        self.count += 1
        return clip


BY_SPEAKER = build_network(4, 3, TOY.model_copy(update={"normalisation": "speaker"}), 0)


def by_speaker(features: Features) -> Features:
    return standardise_groups(features, measure(features, BY_SPEAKER), "speaker")


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
    done = by_speaker(features)
    for name, rows in (("a", [0, 2, 4]), ("b", [1, 3])):
        frames = np.concatenate([done.views["mfcc"][row] for row in rows])
        assert np.allclose(frames.mean(0), 0, atol=1e-5), name
        assert np.allclose(frames.std(0), 1, atol=1e-5), name
    own = np.concatenate([features.views["mfcc"][row] for row in (0, 2, 4)])
    assert np.allclose(
        done.views["mfcc"][5], (features.views["mfcc"][5] - own.mean(0)) / own.std(0), atol=1e-4
    )
    with pytest.raises(TrainingError, match="needs the speaker of every clip"):
        by_speaker(speakers(features, ["a", "b", "", "b", "a", "a"]))


def test_a_changed_voice_is_a_separate_speaker(toy_features: Callable[..., Features]) -> None:
    copies = ["", "", "1-voice+1.00x0.90", "1-voice+1.00x0.90", "2-voice+1.00x0.90", "1-pitch+1.00"]
    voices = ["", "", "1+1.00x0.90", "1+1.00x0.90", "2+1.00x0.90", ""]
    features = speakers(toy_features(6, 0), ["a"] * 6, copies, voices)
    done = by_speaker(features)
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


def test_the_statistics_of_standardised_clips_need_no_second_pass(
    toy_features: Callable[..., Features], toy_network: SERTier1
) -> None:
    copies = ["", "", "1-noise", "", "1-voice", "1-noise", "", "", "1-pitch"]
    voices = ["", "", "", "", "1+1.00x0.90", "", "", "", ""]
    features = speakers(toy_features(9, 0), list("ababacbbc"), copies, voices)  # c has no original
    features.views["mfcc"][0][:, 3] = features.views["mfcc"][2][:, 3] = 7
    for network, clips in ((toy_network, features), (BY_SPEAKER, by_speaker(features))):
        frames = np.concatenate(clips.views["mfcc"]).astype(np.float64)
        mean, std = statistics_of(measure(features, network))["mfcc"]
        np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(std, frames.std(axis=0), rtol=1e-6)


def test_each_clip_is_made_once(toy_features: Callable[..., Features], toy_network: SERTier1) -> None:
    for network in (toy_network, BY_SPEAKER):
        features = speakers(toy_features(6, 0), list("ababab"))
        made = CountedClips(features.views["mfcc"])
        lazy = Features({"mfcc": made}, features.labels, features.columns)
        measured = measure(lazy, network)
        statistics_of(measured)
        if network is BY_SPEAKER:
            done = standardise_groups(lazy, measured, "speaker")
            assert done.standardised
            predict_logits(network, done)
            assert made.count == 12
        else:
            assert made.count == 6


def test_logits_of_clips_that_are_standardised_already_are_the_same(
    toy_features: Callable[..., Features],
) -> None:
    features = speakers(toy_features(6, 0), list("ababab"))
    assert predict_logits(BY_SPEAKER, features).equal(predict_logits(BY_SPEAKER, by_speaker(features)))


def test_corpora_are_standardised_over_all_their_own_clips_and_copies_by_their_originals(
    toy_features: Callable[..., Features],
) -> None:
    clips = toy_features(5, 0)
    columns = {
        "corpus": np.array(["x", "y", "x", "y", "x"], dtype=object),
        "augmentation": np.array(["", "", "", "", "voice"], dtype=object),
        "voice": np.array(["", "", "", "", "1"], dtype=object),
    }
    features = Features({"mfcc": clips.views["mfcc"]}, clips.labels, columns)
    network = build_network(4, 3, TOY.model_copy(update={"normalisation": "corpus"}), 0)
    done = standardise_groups(features, measure(features, network), "corpus").views["mfcc"]
    for rows in ([0, 2], [1, 3]):
        own = np.concatenate([clips.views["mfcc"][row] for row in rows])
        for row in [*rows, *([4] if 0 in rows else [])]:
            slow = (clips.views["mfcc"][row] - own.mean(0)) / own.std(0)
            assert np.allclose(done[row], slow, atol=1e-4)
    with pytest.raises(TrainingError, match="needs the corpus of every clip"):
        measure(Features(features.views, clips.labels), network)
    assert torch.allclose(
        predict_logits(network, features),
        predict_logits(network, Features({"mfcc": done}, clips.labels, columns, standardised=True)),
    )
