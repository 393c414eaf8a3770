"""Statistics of the frames of a split, all in one pass, and clips standardised by those of their speaker or corpus.

A voice made by augmentation counts as another speaker, since in the test split every speaker has mean 0; other copies
are standardised by the statistics of their originals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from featurize.errors import TrainingError
from model.batches import Features
from model.moments import Moments, Statistics
from model.network.normalisation import Group, is_group
from model.network.tier1 import SERTier1
from model.views import STAGE, Clips, LazyClips, View, lengths_of

Voice = tuple[str, str, bool]
"""Speaker, voice that augmentation has given him, whether the clips are originals; or a corpus, "", and likewise."""
ALL: Voice = ("", "", True)
"""The key of all clips together."""
Measured = Mapping[View, Mapping[Voice, Moments]]
"""Of each view, the moments of the frames of each voice, or of all frames."""


def measure(features: Features, network: SERTier1) -> Measured:
    """Check the frames of all clips, and measure them, by voice or corpus if the network's normalisation is of such.

    Raises:
        TrainingError: a clip without frames or with another number of values, values that are not finite; with
            normalisation "speaker" also a clip without a speaker.
    """
    by = network.params.normalisation
    voices = _voices(features, by) if is_group(by) else [ALL] * len(features)
    measured: dict[View, dict[Voice, Moments]] = {}
    for view in network.params.views:
        found = measured[view] = {}
        for index, (voice, clip) in enumerate(zip(voices, features.views[view], strict=True)):
            own = _check(features.name(index), clip, view, network.num_channels(view))
            found[voice] = found[voice] + own if voice in found else own
    return measured


def _check(name: str, clip: NDArray[np.float32], view: View, num_channels: int) -> Moments:
    if clip.ndim != 2 or clip.shape[1] != num_channels or len(clip) == 0:
        raise TrainingError(
            f"{name}: features of shape {clip.shape}, not (frames, {num_channels}); run {STAGE[view]} again"
        )
    with np.errstate(invalid="ignore"):
        moments = Moments.of(clip)
    if not np.isfinite(moments.total).all():
        raise TrainingError(f"{name}: features hold NaN or infinite values; run {STAGE[view]} again")
    return moments


def _voices(features: Features, by: Group) -> list[Voice]:
    groups = features.columns.get(by)
    if groups is None or not all(groups):
        raise TrainingError(f"network.normalisation {by} needs the {by} of every clip; choose global or clip")
    none = np.full(len(features), "", dtype=object)
    voices = features.columns.get("voice", none) if by == "speaker" else none
    return list(zip(groups.tolist(), voices.tolist(), features.original.tolist(), strict=True))


def statistics_of(*splits: Measured) -> dict[View, Statistics]:
    """Mean and deviation of all frames of each view in these splits; those of voices, as they are standardised."""
    found: dict[View, Statistics] = {}
    for view in splits[0]:
        parts = [
            moments if voice == ALL else moments.standardised(_own(measured[view], voice))
            for measured in splits
            for voice, moments in measured[view].items()
        ]
        found[view] = reduce(add, parts).statistics
    return found


def _own(voices: Mapping[Voice, Moments], voice: Voice) -> Statistics:
    """Statistics that a voice's clips are standardised by: those of the originals, where there are any."""
    speaker, name, _ = voice
    return voices.get((speaker, name, True), voices[voice]).statistics


class StandardisedClips(LazyClips):
    """Clips standardised on access.

    Args:
        clips: (num_frames, C) each.
        statistics: of each clip.
    """

    def __init__(self, clips: Clips, statistics: Sequence[Statistics]) -> None:
        self._clips, self._statistics = clips, statistics
        self.lengths = lengths_of(clips)

    def clip(self, index: int) -> NDArray[np.float32]:
        """One standardised clip, float32."""
        mean, std = self._statistics[index]
        return ((self._clips[index] - mean) / std).astype(np.float32)


def standardise_groups(features: Features, measured: Measured, by: Group) -> Features:
    """Standardise each clip by the frames of all clips of its speaker, or of its corpus, in these features.

    Args:
        features: of one split.
        measured: from `measure`, by voice.
        by: speaker or corpus.
    """
    voices = _voices(features, by)
    views: dict[View, Clips] = {}
    for view, clips in features.views.items():
        own = {voice: _own(measured[view], voice) for voice in measured[view]}
        views[view] = StandardisedClips(clips, [own[voice] for voice in voices])
    return replace(features, views=views, standardised=True)
