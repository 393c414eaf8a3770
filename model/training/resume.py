"""Going on after a kill: what last.pt holds beside the weights, and whether it is of this very run.

Order, dropout and augmentation of an epoch depend on the seed and the epoch alone, so a run that goes on from the end
of an epoch ends with the weights of one that was never stopped, bit for bit (on one process and device).
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from featurize.errors import CheckpointError
from model.batches import Features
from model.checkpoint import read_checkpoint


@dataclass(frozen=True)
class EpochResult:
    """What a validated epoch came to. Losses: train as minimised, a mean over the epochs since the last validation;
    val plain cross-entropy in nats.

    The concordance correlation coefficients are None where valence and arousal are not learnt or not known.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    val_loss: float
    val_accuracy: float
    val_uar: float
    val_macro_f1: float
    val_ccc_valence: float | None = None
    val_ccc_arousal: float | None = None


@dataclass
class Progress:
    """How far a run has come.

    Args:
        history: all validated epochs so far.
        best: the best of them.
        best_state: the network's state after it.
    """

    history: list[EpochResult] = field(default_factory=list)
    best: EpochResult | None = None
    best_state: dict[str, Tensor] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """How many are done."""
        return self.history[-1].epoch if self.history else 0

    def add(self, result: EpochResult) -> bool:
        """Note an epoch; whether it is the best yet: the highest validation UAR, of equals the lowest loss."""
        self.history.append(result)
        best = self.best
        better = best is None or (result.val_uar, -result.val_loss) > (best.val_uar, -best.val_loss)
        if better:
            self.best = result
        return better

    def state_dict(self) -> dict[str, Any]:
        """Plain types and tensors."""
        best = asdict(self.best) if self.best else None
        return {
            "history": [asdict(result) for result in self.history],
            "best": best,
            "best_state": self.best_state,
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> "Progress":
        """The inverse of `state_dict`."""
        best = EpochResult(**state["best"])
        return cls([EpochResult(**result) for result in state["history"]], best, state["best_state"])


def fingerprint(
    params: dict[str, Any], network: dict[str, Any], labels: Any, splits: list[Features]
) -> dict[str, str]:
    """What must be the same for a run to go on, part by part: params, network, labels and data."""
    parts = {"train params": params, "network params": network, "labels": labels}
    found = {name: json.dumps(part, sort_keys=True) for name, part in parts.items()}
    digest = hashlib.sha256()
    for features in splits:
        digest.update(features.labels.tobytes() + features.num_frames.tobytes() + features.affect.tobytes())
        for clip in features.clips:
            digest.update(np.ascontiguousarray(clip).data)
    return {**found, "data": digest.hexdigest()}


def read_resume(path: Path, expected: dict[str, str]) -> dict[str, Any]:
    """All that training goes on with, from last.pt.

    Raises:
        CheckpointError: there is no last.pt, it is damaged, or of another run; says in what it differs.
    """
    content = read_checkpoint(path)
    resume = content.get("resume")
    if not isinstance(resume, dict):
        raise CheckpointError(f"{path}: holds no state to resume from; train from the start")
    differing = [name for name, part in expected.items() if resume["fingerprint"].get(name) != part]
    if differing:
        raise CheckpointError(
            f"{path}: of a run with other {' and '.join(differing)}; restore them, or train from the start "
            "without --resume"
        )
    return resume
