"""fit(): trains a network on one split, chooses the epoch on another, and calibrates it there.

The same seed, device and number of threads give the same weights. What the loop prints or logs is the
caller's business: it is told of every epoch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from pydantic import BaseModel, Field
from torch import Tensor, nn

from featurize.errors import TrainingError
from model.batches import Features, make_batch, training_batches
from model.calibration import fit_temperature
from model.checkpoint import save_checkpoint
from model.checks import check_features
from model.inference import predict_logits
from model.loss import SERLoss, balanced_weights
from model.metrics import compute_metrics
from model.network import SERTier1


class TrainParams(BaseModel, frozen=True, extra="forbid"):
    """How to train."""

    # passes over the train split, at most
    epochs: int = Field(30, gt=0)
    # clips in a step
    batch_size: int = Field(16, gt=0)
    # peak learning rate of AdamW
    lr: float = Field(2e-3, gt=0, allow_inf_nan=False)
    # decoupled weight decay, on weight matrices only
    weight_decay: float = Field(1e-2, ge=0, allow_inf_nan=False)
    # how the learning rate falls after the warm-up
    schedule: Literal["cosine"] = "cosine"
    # epochs in which the learning rate rises linearly to its peak
    warmup_epochs: float = Field(2.0, ge=0, allow_inf_nan=False)
    # largest norm of the gradient; 0: unlimited
    grad_clip: float = Field(1.0, ge=0, allow_inf_nan=False)
    # share of the target spread over all classes
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    # "balanced": each class counts the same, however many clips it has
    class_weights: Literal["none", "balanced"] = "none"
    # epochs without a better validation UAR before training stops; 0: never stop early
    patience: int = Field(10, ge=0)
    # of weights, order and dropout
    seed: int = Field(0, ge=0, lt=2**63)


@dataclass(frozen=True)
class EpochResult:
    """What one epoch came to. Losses: train as minimised, val plain cross-entropy in nats."""

    epoch: int
    learning_rate: float
    train_loss: float
    val_loss: float
    val_accuracy: float
    val_uar: float
    val_macro_f1: float


@dataclass(frozen=True)
class FitResult:
    """What training came to. Epochs count from 1."""

    best_epoch: int
    best_uar: float
    best_path: Path
    last_path: Path
    temperature: float
    history: list[EpochResult]


def learning_rate(step: int, total_steps: int, warmup_steps: int, peak: float) -> float:
    """Learning rate of a step (from 0): linear to the peak over the warm-up, then half a cosine towards 0."""
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(total_steps - warmup_steps, 1)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))


class _Trainer:
    """One run's moving parts: network, loss, optimiser, step count."""

    def __init__(self, network: SERTier1, train: Features, params: TrainParams, device: torch.device) -> None:
        self.network, self.train, self.params, self.device = network, train, params, device
        self.steps_per_epoch = math.ceil(len(train) / params.batch_size)
        self.total_steps = params.epochs * self.steps_per_epoch
        self.warmup_steps = min(round(params.warmup_epochs * self.steps_per_epoch), self.total_steps)
        self.step = 0
        balanced = params.class_weights == "balanced"
        weights = balanced_weights(train.labels, network.num_classes) if balanced else None
        self.loss = SERLoss(weights, params.label_smoothing).to(device)
        # Decay pulls towards zero, which is no sensible prior for the scale of a norm.
        matrices = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": params.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=params.lr)
        self.rate = 0.0

    def start(self) -> None:
        """Normalise by the train split, and give the batch norms statistics of a first batch of it."""
        self.network.fit_normalisation(self.train.clips)
        self.network.temperature.fill_(1.0)
        rng = np.random.default_rng(self.params.seed)
        some = rng.permutation(len(self.train))[: max(self.params.batch_size, 64)]
        batch = make_batch(self.train, some).to(self.device)
        self.network.fit_batchnorm(batch.mfcc, batch.num_frames)

    def run_epoch(self, epoch: int) -> float:
        """Train on every clip once; mean loss over clips."""
        self.network.train()
        total = torch.zeros((), device=self.device)
        for batch in training_batches(self.train, self.params.batch_size, self.params.seed, epoch):
            there = batch.to(self.device)
            self.rate = learning_rate(self.step, self.total_steps, self.warmup_steps, self.params.lr)
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate
            self.optimiser.zero_grad(set_to_none=True)
            loss = self.loss(self.network(there.mfcc, there.num_frames), there.labels)
            loss.backward()
            if self.params.grad_clip:
                nn.utils.clip_grad_norm_(self.network.parameters(), self.params.grad_clip)
            self.optimiser.step()
            total += loss.detach() * len(there.labels)
            self.step += 1
        return float(total) / len(self.train)

    def validate(self, val: Features, epoch: int, train_loss: float) -> EpochResult:
        """Score the network on the validation split.

        Raises:
            TrainingError: the loss, or what the network answers, is no longer finite.
        """
        logits = predict_logits(self.network, val, device=self.device)
        labels = torch.from_numpy(val.labels)
        val_loss = float(F.cross_entropy(logits, labels))
        if not math.isfinite(train_loss) or not math.isfinite(val_loss):
            raise TrainingError(
                f"the loss is not finite in epoch {epoch}; lower train.lr (now {self.params.lr:g}) or set "
                f"train.grad_clip (now {self.params.grad_clip:g})"
            )
        names = [str(k) for k in range(self.network.num_classes)]
        metrics = compute_metrics(val.labels, logits.argmax(dim=1).numpy(), names)
        return EpochResult(
            epoch, self.rate, train_loss, val_loss, metrics.accuracy, metrics.uar, metrics.macro_f1
        )


def fit(
    network: SERTier1,
    train: Features,
    val: Features,
    params: TrainParams,
    out_dir: str | Path,
    *,
    device: str | torch.device = "cpu",
    args: dict[str, Any] | None = None,
    on_epoch: Callable[[EpochResult], None] | None = None,
) -> FitResult:
    """Train a network; leave it on `device` with the weights of its best epoch and a fitted temperature.

    The best epoch is that of the highest validation UAR, of equals that of the lowest validation loss. Its
    checkpoint, `best_uar_<score>.pt`, is the only such file left in `out_dir`. `last.pt` is that of the last
    epoch, uncalibrated.

    Args:
        network: from `build_network` with the same seed, if the run is to be repeatable.
        train: clips to learn from.
        val: clips to choose epoch and temperature on; of other speakers, if the score is to mean anything.
        params: how to train.
        out_dir: folder for checkpoints.
        device: where to train.
        args: plain types for the checkpoints' `args`: label names, Tier 0 parameters, protocol, ...
        on_epoch: called after each epoch.

    Raises:
        TrainingError: the features cannot be trained on, or the loss is no longer finite.
        SerError: a checkpoint cannot be written.
    """
    check_features(train, "train", network.n_mfcc, network.num_classes)
    check_features(val, "val", network.n_mfcc, network.num_classes)
    device = torch.device(device)
    # Dropout draws from torch's global state: seed it here and give it back as it was.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(params.seed)
        trainer = _Trainer(network.to(device), train, params, device)
        trainer.start()
        best, state, history = _run(trainer, val, Path(out_dir), args or {}, on_epoch)
    network.load_state_dict(state)
    network.eval()
    if network.params.temperature:
        logits = predict_logits(network, val, device=device)
        network.temperature.fill_(fit_temperature(logits, torch.from_numpy(val.labels)))
    best_path = _save_best(network, Path(out_dir), best, args or {})
    temperature = float(network.temperature)
    return FitResult(best.epoch, best.val_uar, best_path, Path(out_dir) / "last.pt", temperature, history)


def _run(
    trainer: _Trainer,
    val: Features,
    out_dir: Path,
    args: dict[str, Any],
    on_epoch: Callable[[EpochResult], None] | None,
) -> tuple[EpochResult, dict[str, Tensor], list[EpochResult]]:
    """The epochs; returns the best one, its state, and all results."""
    network, patience = trainer.network, trainer.params.patience
    history: list[EpochResult] = []
    best: EpochResult | None = None
    state: dict[str, Tensor] = {}
    for epoch in range(1, trainer.params.epochs + 1):
        result = trainer.validate(val, epoch, trainer.run_epoch(epoch))
        history.append(result)
        if best is None or (result.val_uar, -result.val_loss) > (best.val_uar, -best.val_loss):
            best = result
            state = {name: value.clone() for name, value in network.state_dict().items()}
            _save_best(network, out_dir, best, args)
        save_checkpoint(out_dir / "last.pt", network, {**args, "epoch": epoch, "val_uar": result.val_uar})
        if on_epoch is not None:
            on_epoch(result)
        if patience and epoch - best.epoch >= patience:
            break
    assert best is not None  # noqa: S101 - epochs > 0
    return best, state, history


def _save_best(network: SERTier1, out_dir: Path, best: EpochResult, args: dict[str, Any]) -> Path:
    """Write the best checkpoint, then remove those that it supersedes."""
    path = out_dir / f"best_uar_{best.val_uar:.4f}.pt"
    save_checkpoint(path, network, {**args, "epoch": best.epoch, "val_uar": best.val_uar})
    for other in out_dir.glob("best_uar_*.pt"):
        if other != path:
            other.unlink()
    return path
