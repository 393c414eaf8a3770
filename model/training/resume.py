"""Resuming an interrupted run: the state in last.pt, and the check that it is of the same run.

Order, dropout and augmentation of an epoch depend on the seed and the epoch only, so a run resumed after any epoch
ends with bit for bit the weights of an uninterrupted run (with one process on one device).
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from featurize.errors import CheckpointError
from model.batches import Features
from model.checkpoint import read_checkpoint
from model.views import contents_of


@dataclass(frozen=True)
class EpochResult:
    """Results of a validated epoch."""

    epoch: int
    """From 1."""
    learning_rate: float
    """Of the last step."""
    train_loss: float
    """The loss that is minimised, averaged over the epochs since the last validation."""
    val_loss: float
    """Plain cross-entropy, in nats."""
    val_accuracy: float
    val_uar: float
    val_macro_f1: float
    val_ccc_valence: float | None = None
    """Concordance correlation coefficient; None if valence is not trained, or unknown for the validation clips."""
    val_ccc_arousal: float | None = None
    """Likewise for arousal."""
    val_ccc_dominance: float | None = None
    """Likewise for dominance."""


@dataclass
class Progress:
    """The epochs of a run so far."""

    history: list[EpochResult] = field(default_factory=list)
    """All validated epochs, in order."""
    best: EpochResult | None = None
    """The one with the highest validation UAR and, among equals, the lowest validation loss."""
    best_state: dict[str, Tensor] = field(default_factory=dict)
    """State of the network after the best epoch."""

    @property
    def epochs(self) -> int:
        """Number of epochs that are done."""
        return self.history[-1].epoch if self.history else 0

    def add(self, result: EpochResult) -> bool:
        """Append an epoch; return whether it is the best so far."""
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
    def from_state_dict(cls, state: dict[str, Any]) -> "Progress":
        """The inverse of `state_dict`."""
        best = EpochResult(**state["best"])
        return cls([EpochResult(**result) for result in state["history"]], best, state["best_state"])


def identity_of(
    params: dict[str, Any], network: dict[str, Any], labels: Any, splits: list[Features], initial: str = ""
) -> dict[str, str]:
    """What must be equal for a run to be resumed, by its parts: params, network, labels, initial weights and data."""
    parts = {"train params": params, "network params": network, "labels": labels, "initial weights": initial}
    found = {name: json.dumps(part, sort_keys=True) for name, part in parts.items()}
    digest = hashlib.sha256()
    for features in splits:
        digest.update(features.labels.tobytes() + features.num_frames.tobytes() + features.affect.tobytes())
        digest.update(b"" if features.votes is None else features.votes.tobytes())
        for clips in features.views.values():
            for content in contents_of(clips):
                digest.update(content)
    return {**found, "data": digest.hexdigest()}


def read_resume(path: Path, expected: dict[str, str]) -> dict[str, Any]:
    """Read the state of training from last.pt.

    Raises:
        CheckpointError: last.pt is missing, damaged, or of another run; the message names the parts that differ.
    """
    content = read_checkpoint(path)
    resume = content.get("resume")
    if not isinstance(resume, dict) or "identity" not in resume:
        raise CheckpointError(f"{path}: holds no state to resume from; train from the start")
    differing = [name for name, part in expected.items() if resume["identity"].get(name) != part]
    if differing:
        raise CheckpointError(
            f"{path}: of a run with other {' and '.join(differing)}; restore them, or train from the start "
            "without --resume"
        )
    return resume
