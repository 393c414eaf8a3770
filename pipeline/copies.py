"""Augmented copies of training clips among the features: rows of their own, and never clips.

A copy's row is its original's, with three columns changed: `augmentation` names what was done to it ("" in an
original), `clip_id` is "<original>#<augmentation>", and `sha256` is that of its recipe: the original's audio, the
parameters and the copy's number. By it a finished copy is found again like any clip, in whatever split its original
now stands; one whose original has left the train split is not asked for, and so vanishes.
"""

import hashlib
import logging
from collections.abc import Callable
from typing import Any

from torch import Tensor

from featurize.augment import AugmentParams, augment, find_noises
from featurize.errors import AudioError
from featurize.shards import Row
from pipeline.reuse import ShardFolder

log = logging.getLogger(__name__)

ORIGINAL = {"augmentation": ""}
"""The column by which an original is told from a copy."""

Featurize = Callable[[dict[str, Any], Tensor], Row]


class Copies:
    """Makes the copies of one clip after another, or finds them made.

    Args:
        params: how many, and what is done to them.
        shards: where finished copies are found.

    Raises:
        ParamsError: the noise folder cannot be used.
    """

    def __init__(self, params: AugmentParams, shards: ShardFolder) -> None:
        self.params, self.shards = params, shards
        self.noises = find_noises(params)
        self.without_speech = 0
        self._recipe = params.model_dump_json(exclude={"copies"}) + self.noises.sha256

    def of(self, original: Row, waveform: Callable[[], Tensor], featurize: Featurize) -> list[Row]:
        """The copies of a clip in the train split; of any other, none.

        Args:
            original: its finished row.
            waveform: gives the clip's samples (num_samples,); called only if a copy is missing.
            featurize: turns columns and samples into a row; a copy that it refuses is left out.
        """
        columns = original.columns
        if columns.get("split") != "train":
            return []
        rows = []
        for number in range(1, self.params.copies + 1):
            key = hashlib.sha256(f"{columns['sha256']} {number} {self._recipe}".encode()).hexdigest()
            if (found := self.shards.find(key)) is not None:
                done, mfcc, segments = found
                kept = {"duration_s": done["duration_s"], "has_speech": done["has_speech"]}
                named = _columns(columns, done["augmentation"], key)
                rows.append(Row({**named, **kept}, mfcc, segments))
                continue
            name, copy = augment(
                waveform(), original.speech, str(columns["sha256"]), number, self.params, self.noises
            )
            try:
                rows.append(featurize(_columns(columns, name, key), copy))
            except AudioError:  # no speech found in it, and vad.if_no_speech is reject
                self.without_speech += 1
        return rows

    def report(self) -> None:
        """Say how many copies were left out, if any."""
        if self.without_speech:
            log.info("%d augmented copies left out: no speech found in them", self.without_speech)


def _columns(original: dict[str, Any], name: str, key: str) -> dict[str, Any]:
    return {**original, "clip_id": f"{original['clip_id']}#{name}", "augmentation": name, "sha256": key}
