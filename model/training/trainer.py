"""The trainer of a run: the steps of an epoch on the train split, and the validation after it."""

import logging
import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from featurize.errors import TrainingError
from model.affect import DIMENSIONS
from model.batches import Batch, Features, make_batch
from model.distributed import in_group, rank, sum_over_processes, world_size
from model.logits import predict
from model.moments import Statistics
from model.network.tier1 import SERTier1
from model.scoring.concordance import concordance
from model.scoring.metrics import compute_metrics
from model.training.augmentation import Augmentation
from model.training.hyperparameters import TrainParams
from model.training.loss import SERLoss, balanced_weights, effective_weights
from model.training.resident import ResidentFeatures, fits_on_gpu
from model.training.resume import EpochResult
from model.training.sampling import batch_order, sampling_groups
from model.training.schedules import Schedule
from model.training.targets import make_targets
from model.views import View

log = logging.getLogger(__name__)

Weights = tuple[Tensor, ...] | list[Tensor]
HALF_PRECISION = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer:
    """Network, loss, optimiser and schedule of a run.

    Args:
        network: already on `device`.
        train: training clips, standardised where the network's normalisation is "speaker" or "corpus".
        params: of training.
        device: where the network is.
    """

    def __init__(self, network: SERTier1, train: Features, params: TrainParams, device: torch.device) -> None:
        self.network, self.train, self.params, self.device = network, train, params, device
        self.targets = make_targets(train, network.num_trained, params.targets).to(device)
        self.groups = sampling_groups(train, params.sampler)
        self.draws = int(train.original.sum())  # clips per epoch
        self.schedule = Schedule(params, math.ceil(self.draws / params.batch_size))
        if self.schedule.warmup_steps >= self.schedule.total_steps:
            log.warning(
                "train.warmup_epochs %g: the learning rate still rises at the end of the last of %d epochs; lower it",
                params.warmup_epochs,
                params.epochs,
            )
        self.step, self.rate = 0, 0.0
        # Weight decay pulls towards zero, which is not a sensible prior for the scale of a norm.
        trained = [p for p in network.parameters() if p.requires_grad]
        matrices = [p for p in trained if p.ndim > 1]
        others = [p for p in trained if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": params.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=params.lr)
        self.half = HALF_PRECISION.get(params.precision) if device.type == "cuda" else None
        if self.half is None and params.precision != "fp32":
            log.info("train.precision %s is ignored: %s uses fp32", params.precision, device.type)
        self.scaler = torch.amp.grad_scaler.GradScaler(device.type, enabled=self.half is torch.float16)
        # The network, or its wrapper that averages the gradients of several processes.
        self.module: nn.Module = network
        if in_group():
            self.module = DistributedDataParallel(network, broadcast_buffers=False)
        self.resident = ResidentFeatures(train, device) if fits_on_gpu(train, device) else None
        self.average: AveragedModel | None = None
        if params.ema:
            self.average = AveragedModel(network, multi_avg_fn=self._update_average, use_buffers=True)

    @property
    def scored(self) -> SERTier1:
        """The network that is validated and saved: the moving average, if there is one."""
        return cast(SERTier1, self.average.module) if self.average is not None else self.network

    def _update_average(self, averages: Weights, weights: Weights, _: Tensor | int) -> None:
        """Update the moving average; it decays faster in the first steps, whose weights are far from the final ones."""
        decay = min(self.params.ema, (1 + self.step) / (10 + self.step))
        for average, weight in zip(averages, weights, strict=True):
            average.lerp_(weight, 1 - decay)

    def start(self, statistics: Mapping[View, Statistics] | None) -> None:
        """Set the normalisation, and initialise the batch norms with one batch of the train split.

        Args:
            statistics: of the train split; None for a network that is trained already: it keeps its own, and its
                batch norms, without which its weights would mean something else.
        """
        if self.network.params.affect:
            self.network.fit_affect(self.train.affect)
        self.network.temperature.fill_(1.0)
        if statistics is None:
            return
        self.network.set_normalisation(statistics)
        torch.manual_seed(self.params.seed)
        rng = np.random.default_rng(self.params.seed)
        batch = self.make_batch(rng.permutation(len(self.train))[: max(self.params.batch_size, 64)])
        self.network.fit_batchnorm(batch.frames, batch.num_frames)

    def make_loss(self) -> SERLoss:
        """The loss of this run, with valence, arousal and dominance in the units of the network."""
        params, labels, num_classes = self.params, self.train.labels, self.network.num_trained
        weights: Tensor | None = None
        if params.class_weights == "balanced":
            weights = balanced_weights(labels, num_classes)
        elif params.class_weights == "effective":
            weights = effective_weights(labels, num_classes, params.effective_beta)
        affect = self.network.params.affect
        std = self.network.affect_std if affect else None
        units = None if std is None else torch.where(std > 0, std, 1.0)
        weight = params.affect_weight if affect else 0.0
        return SERLoss(weights, params.label_smoothing, weight, units, params.affect_loss).to(self.device)

    def make_batch(self, index: NDArray[np.int64]) -> Batch:
        """Make a batch of the clips at `index` (B,), on the device."""
        if self.resident is not None:
            return self.resident.make_batch(index)
        return make_batch(self.train, index).to(self.device)

    def run_epoch(self, epoch: int) -> float:
        """Train for one epoch; return the mean loss over its clips.

        Raises:
            TrainingError: the loss is not finite.
        """
        self.module.train()
        criterion = self.make_loss()
        # From seed, epoch and process: dropout in a resumed run is that of an uninterrupted one.
        state = np.random.SeedSequence([self.params.seed, epoch, rank()]).generate_state(1, np.uint64)
        torch.manual_seed(int(state[0]))
        lengths, groups = self.train.num_frames, self.groups
        order = batch_order(lengths, self.params.batch_size, self.params.seed, epoch, self.draws, groups)
        total = torch.zeros((), device=self.device)
        for whole in order:
            total += self.run_step(whole[rank() :: world_size()], epoch, criterion) * len(whole)
            self.step += 1
        return self.check_finite(float(sum_over_processes(total)) / world_size() / self.draws, epoch)

    def run_step(self, index: NDArray[np.int64], epoch: int, criterion: SERLoss) -> Tensor:
        """Take one step on this process's share of a batch; return its part of the loss, detached."""
        batch = self.make_batch(index)
        augment = Augmentation(self.params, index, epoch, self._sizes(index), self.device)
        targets, affect = self.targets[batch.index], batch.affect
        if augment.mix is not None:
            targets = augment.mix.targets(targets)
            affect = augment.mix.targets(affect)
        self.rate = self.schedule.rate(self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None):
            output = self.module(batch.frames, batch.num_frames, augment.views)
        loss: Tensor = criterion(output, targets, affect)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimiser)
        if self.params.grad_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.params.grad_clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return loss.detach()

    def _sizes(self, index: NDArray[np.int64]) -> dict[View, tuple[NDArray[np.int64], int]]:
        """Of a batch, in each view: frames of each clip (B,), and values of a frame."""
        return {
            view: (lengths[index], self.network.num_mixed(view))
            for view, lengths in self.train.lengths.items()
        }

    def check_finite(self, loss: float, epoch: int) -> float:
        """Return the loss.

        Raises:
            TrainingError: the loss is not finite.
        """
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is not finite in epoch {epoch}; lower train.lr (now {self.params.lr:g}) or set "
                f"train.grad_clip (now {self.params.grad_clip:g})"
            )
        return loss

    def validate(self, val: Features, epoch: int, train_loss: float) -> EpochResult:
        """Compute the scores of `scored` on the validation split.

        Raises:
            TrainingError: the validation loss is not finite.
        """
        outputs = predict(self.scored, val, device=self.device)
        logits, labels = outputs["logits"], torch.from_numpy(val.labels)
        val_loss = self.check_finite(float(F.cross_entropy(logits, labels)), epoch)
        names = [str(k) for k in range(self.network.num_classes)]
        metrics = compute_metrics(val.labels, logits.argmax(dim=1).numpy(), names)
        ccc: list[float | None] = [None] * len(DIMENSIONS)
        if "affect" in outputs:
            ccc = list(map(concordance, val.affect.T, outputs["affect"].numpy().T))
        return EpochResult(
            epoch,
            self.rate,
            train_loss,
            val_loss,
            metrics.accuracy,
            metrics.uar,
            metrics.macro_f1,
            *ccc,
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next epoch depends on."""
        return {
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "step": self.step,
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of another trainer of the same run."""
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.step = state["step"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
