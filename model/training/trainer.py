"""One run's moving parts, and what they do in an epoch: steps on the train split, a score on the other."""

import logging
import math
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from featurize.errors import TrainingError
from model.affect import concordance
from model.batches import Batch, Features, make_batch
from model.distributed import in_group, rank, sum_over_processes, world_size
from model.logits import predict
from model.network.tier1 import SERTier1
from model.scoring.metrics import compute_metrics
from model.training.augmentation import Augmentation
from model.training.hyperparameters import TrainParams
from model.training.loss import SERLoss, balanced_weights, effective_weights
from model.training.resident import ResidentFeatures, fits
from model.training.resume import EpochResult
from model.training.sampling import batch_order
from model.training.schedules import Schedule

log = logging.getLogger(__name__)

Weights = tuple[Tensor, ...] | list[Tensor]
HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer:
    """Network, loss, optimiser, schedule.

    Args:
        network: on the device already.
        train: what to learn from, standardised by speaker where the network asks for it.
        params: how to train.
        device: where the network is.
    """

    def __init__(self, network: SERTier1, train: Features, params: TrainParams, device: torch.device) -> None:
        self.network, self.train, self.params, self.device = network, train, params, device
        self.draws = int(train.original.sum())  # in an epoch
        self.schedule = Schedule(params, math.ceil(self.draws / params.batch_size))
        if self.schedule.warmup_steps >= self.schedule.total_steps:
            log.warning(
                "train.warmup_epochs %g: the learning rate still rises when the last of %d epochs ends; lower it",
                params.warmup_epochs,
                params.epochs,
            )
        self.step, self.rate = 0, 0.0
        # Decay pulls towards zero, which is no sensible prior for the scale of a norm.
        matrices = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": params.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=params.lr)
        self.half = HALVES.get(params.precision) if device.type == "cuda" else None
        if self.half is None and params.precision != "fp32":
            log.info("train.precision %s: off on %s, which takes fp32", params.precision, device.type)
        self.scaler = torch.amp.grad_scaler.GradScaler(device.type, enabled=self.half is torch.float16)
        # The module that steps: over several processes it averages their gradients.
        self.module: nn.Module = network
        if in_group():
            self.module = DistributedDataParallel(network, broadcast_buffers=False)
        self.source = ResidentFeatures(train, device) if fits(train, device) else None
        self.average: AveragedModel | None = None
        if params.ema:
            self.average = AveragedModel(network, multi_avg_fn=self._towards, use_buffers=True)

    @property
    def scored(self) -> SERTier1:
        """The network that is validated and kept: the moving average where there is one."""
        return cast(SERTier1, self.average.module) if self.average is not None else self.network

    def _towards(self, averaged: Weights, current: Weights, _: Tensor | int) -> None:
        """One step of the average; the first steps' weights, far from where training goes, are forgotten faster."""
        decay = min(self.params.ema, (1 + self.step) / (10 + self.step))
        for one, other in zip(averaged, current, strict=True):
            one.lerp_(other, 1 - decay)

    def start(self) -> None:
        """Normalise by the train split, and give the batch norms statistics of a first batch of it."""
        self.network.fit_normalisation(self.train.clips)
        if self.network.params.affect:
            self.network.fit_affect(self.train.affect)
        self.network.temperature.fill_(1.0)
        torch.manual_seed(self.params.seed)
        rng = np.random.default_rng(self.params.seed)
        some = rng.permutation(len(self.train))[: max(self.params.batch_size, 64)]
        batch = self.batch(some)
        self.network.fit_batchnorm(batch.mfcc, batch.num_frames)

    def make_loss(self) -> SERLoss:
        """The loss of this run; the units of valence and arousal are the network's."""
        params, labels, num_classes = self.params, self.train.labels, self.network.num_classes
        weights: Tensor | None = None
        if params.class_weights == "balanced":
            weights = balanced_weights(labels, num_classes)
        elif params.class_weights == "effective":
            weights = effective_weights(labels, num_classes, params.effective_beta)
        affect = self.network.params.affect
        units = self.network.affect_std.clone() if affect else None
        loss = SERLoss(weights, params.label_smoothing, params.va_weight if affect else 0.0, units)
        return loss.to(self.device)

    def batch(self, index: NDArray[np.int64]) -> Batch:
        """The clips at `index`, on the device."""
        if self.source is not None:
            return self.source.make_batch(index)
        return make_batch(self.train, index).to(self.device)

    def run_epoch(self, epoch: int) -> float:
        """Train on an epoch's clips; mean loss over clips.

        Raises:
            TrainingError: the loss is no longer finite.
        """
        self.module.train()
        loss_of = self.make_loss()
        # Of seed, epoch and process: a resumed run drops what an uninterrupted one drops.
        state = np.random.SeedSequence([self.params.seed, epoch, rank()]).generate_state(1, np.uint64)
        torch.manual_seed(int(state[0]))
        labels = self.train.labels if self.params.sampler == "balanced" else None
        lengths = self.train.num_frames
        order = batch_order(lengths, self.params.batch_size, self.params.seed, epoch, self.draws, labels)
        total = torch.zeros((), device=self.device)
        for whole in order:
            total += self.run_step(whole[rank() :: world_size()], epoch, loss_of) * len(whole)
            self.step += 1
        return self.check_finite(float(sum_over_processes(total)) / world_size() / self.draws, epoch)

    def run_step(self, index: NDArray[np.int64], epoch: int, loss_of: SERLoss) -> Tensor:
        """One step on this process's share of a batch; its part of the loss, detached."""
        there = self.batch(index)
        lengths = self.train.num_frames[index]
        augment = Augmentation(self.params, index, epoch, lengths, self.network.n_mfcc, self.device)
        targets, affect = there.labels, there.affect
        if augment.mix is not None:
            targets = augment.mix.targets(F.one_hot(targets, self.network.num_classes).float())
            affect = augment.mix.targets(affect)
        self.rate = self.schedule.rate(self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None):
            output = self.module(there.mfcc, there.num_frames, augment)
        loss: Tensor = loss_of(output, targets, affect)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimiser)
        if self.params.grad_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.params.grad_clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return loss.detach()

    def check_finite(self, loss: float, epoch: int) -> float:
        """The loss itself.

        Raises:
            TrainingError: it is not finite.
        """
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is not finite in epoch {epoch}; lower train.lr (now {self.params.lr:g}) or set "
                f"train.grad_clip (now {self.params.grad_clip:g})"
            )
        return loss

    def validate(self, val: Features, epoch: int, train_loss: float) -> EpochResult:
        """Score `scored` on the validation split.

        Raises:
            TrainingError: the loss is no longer finite.
        """
        answers = predict(self.scored, val, device=self.device)
        logits, labels = answers["logits"], torch.from_numpy(val.labels)
        val_loss = self.check_finite(float(F.cross_entropy(logits, labels)), epoch)
        names = [str(k) for k in range(self.network.num_classes)]
        metrics = compute_metrics(val.labels, logits.argmax(dim=1).numpy(), names)
        agreement: list[float | None] = [None, None]
        if "affect" in answers:
            agreement = [concordance(val.affect[:, k], answers["affect"][:, k].numpy()) for k in range(2)]
        return EpochResult(
            epoch,
            self.rate,
            train_loss,
            val_loss,
            metrics.accuracy,
            metrics.uar,
            metrics.macro_f1,
            *agreement,
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything beside the progress that the next epoch depends on."""
        return {
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "step": self.step,
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another trainer of the same run stood."""
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.step = state["step"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
