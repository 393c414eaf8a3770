"""Learning rate schedules: linear warm-up, then cosine decay, step decay or reduction on a plateau.

torch's schedulers are not used: each of these schedules is one line, and torch combines a warm-up with
ReduceLROnPlateau only through private state. The plateau's state is saved in the checkpoint that resumes a run.
"""

import math
from typing import Any

from model.training.hyperparameters import TrainParams


class Schedule:
    """Learning rate schedule of one run.

    Args:
        params: of the run.
        steps_per_epoch: optimiser steps in an epoch.
    """

    def __init__(self, params: TrainParams, steps_per_epoch: int) -> None:
        self.params, self.steps_per_epoch = params, steps_per_epoch
        self.total_steps = params.epochs * steps_per_epoch
        self.warmup_steps = min(round(params.warmup_epochs * steps_per_epoch), self.total_steps)
        # of the plateau schedule: best score so far, epochs without a better one, number of reductions
        self.best, self.waited, self.drops = -math.inf, 0, 0

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0 over the whole run."""
        peak = self.params.lr
        if step < self.warmup_steps:
            return peak * (step + 1) / self.warmup_steps
        past = step - self.warmup_steps
        if self.params.schedule == "cosine":
            return peak * 0.5 * (1 + math.cos(math.pi * past / max(self.total_steps - self.warmup_steps, 1)))
        drops = self.drops
        if self.params.schedule == "step":
            drops = past // (self.params.decay_epochs * self.steps_per_epoch)
        return peak * float(self.params.decay**drops)

    def after_validation(self, steps: int, score: float, epochs: int) -> None:
        """Update the plateau schedule, which counts the epochs without a better score after the warm-up.

        Args:
            steps: steps of the run so far.
            score: validation UAR.
            epochs: epochs since the last validation.
        """
        if score > self.best:
            self.best, self.waited = score, 0
        elif steps > self.warmup_steps:
            self.waited += epochs
        if self.waited >= self.params.decay_epochs:
            self.drops, self.waited = self.drops + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """State for `load_state_dict`."""
        return {"best": self.best, "waited": self.waited, "drops": self.drops}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a schedule of the same run."""
        self.best, self.waited, self.drops = state["best"], state["waited"], state["drops"]
