"""Augmented copies of training clips among the features: rows of their own, and never clips.

A copy's row is its original's, with four columns changed: `augmentation` names what was done to it ("" in an
original), `voice` whose voice it now has ("" for its own), `clip_id` is "<original>#<augmentation>", and `sha256` is
that of its recipe: the original's audio, its speaker where copies have other voices, the parameters, the version of
the code and the copy's number. By it a finished copy is found again like any clip, in whatever split its original now
is; one whose original has left the train split is not asked for, and so vanishes.

The speech of a copy is where it was in its original, stretched along: finding it anew would cost four times as much as
all the rest, and noise or another pitch would hide words that are there.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from featurize.augment import VERSION, AugmentParams, augment, open_noise
from featurize.shards import Row
from pipeline.extraction.found_rows import Found

ORIGINAL = {"augmentation": "", "voice": ""}
"""The columns that a copy fills, in an original."""

COPIED = ("augmentation", "voice", "duration_s", "has_speech")
"""Columns of a finished copy that its original does not have, or has other values in."""

Featurize = Callable[[dict[str, Any], Tensor, NDArray[np.int64]], Row]
Find = Callable[[str], Found | None]


class Copies:
    """Makes the copies of one clip after another, or finds them made.

    Args:
        params: how many, and what is done to them.

    Raises:
        ParamsError: the noise folder cannot be used.
    """

    def __init__(self, params: AugmentParams) -> None:
        self.params = params
        self.noises = open_noise(params)
        noise = self.noises.sha256 if self.noises else ""
        self._recipe = f"{VERSION} {params.model_dump_json(exclude={'copies'})} {noise}"

    def keys(self, clip: dict[str, Any]) -> list[str]:
        """SHA-256 of each row of a clip: of its audio, then of the recipes of its copies."""
        return [clip["sha256"], *self._recipes(clip)]

    def _recipes(self, clip: dict[str, Any]) -> list[str]:
        """SHA-256 of the recipe of each copy of a clip; of one outside the train split there are none."""
        if clip.get("split") != "train":
            return []
        of = f"{clip['sha256']} {self._speaker(clip)}".rstrip()
        recipes = (f"{of} {number} {self._recipe}" for number in range(1, self.params.copies + 1))
        return [hashlib.sha256(recipe.encode()).hexdigest() for recipe in recipes]

    def of(
        self, original: Row, waveform: Callable[[], Tensor], featurize: Featurize, find: Find
    ) -> list[Row]:
        """The copies of a clip.

        Args:
            original: its finished row.
            waveform: gives the clip's samples (num_samples,); called once, and only if a copy is missing.
            featurize: turns columns, samples and speech into a row.
            find: gives columns, data and speech of a finished copy.
        """
        columns = original.columns
        rows: list[Row] = []
        samples: Tensor | None = None
        for number, key in enumerate(self._recipes(columns), start=1):
            if (found := find(key)) is not None:
                done, mfcc, segments, _ = found
                own = {name: done[name] for name in COPIED if name in done}
                rows.append(Row(_columns(columns, key, own), mfcc, segments))
                continue
            samples = waveform() if samples is None else samples
            sha256, speaker = str(columns["sha256"]), self._speaker(columns)
            copy = augment(samples, sha256, number, self.params, self.noises, speaker)
            segments = np.round(original.segments * (len(copy.waveform) / len(samples))).astype(np.int64)
            own = {"augmentation": copy.name, "voice": copy.voice}
            rows.append(featurize(_columns(columns, key, own), copy.waveform, segments))
        return rows

    def _speaker(self, clip: dict[str, Any]) -> str:
        """Who speaks, if that changes the copies and is known."""
        if "voice" not in self.params.methods or not clip.get("speaker"):
            return ""
        return f"{clip.get('corpus', '')}/{clip['speaker']}"


def _columns(original: dict[str, Any], key: str, own: dict[str, Any]) -> dict[str, Any]:
    """The original's columns with those that a copy has of its own."""
    return {**original, **own, "clip_id": f"{original['clip_id']}#{own['augmentation']}", "sha256": key}
