"""Stage train: the training loop, limited by steps or minutes, and resumable.

Each step is determined by (weights, seed, step), so that an interrupted and resumed run ends with the same weights.
"""

import copy
import csv
import math
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from denoiser.demucs import Demucs
from torch import Tensor

from featurize.errors import CheckpointError, TrainingError
from featurize.snr import scale_noise
from recipes.compact_denoiser.cache import CACHE
from recipes.compact_denoiser.data import Bank, open_banks
from recipes.compact_denoiser.loss import DenoiserLoss, si_sdr
from recipes.compact_denoiser.mixing import Mixer, draw_noise
from recipes.compact_denoiser.network import build, enhance, start_as_filter_bank
from recipes.compact_denoiser.params import Recipe, TrainParams, load_recipe
from recipes.compact_denoiser.stage import stage

OUT = Path("checkpoints")
VAL_SNRS_DB = (0.0, 10.0)
VAL_SEED = 7
AHEAD = 4  # batches mixed in advance
LEVEL_EXAMPLES = 32  # examples from which the level of each band of the filter bank is measured

Batch = tuple[Tensor, Tensor]


@dataclass
class Progress:
    """Progress of a run, stored in its checkpoint."""

    step: int = 0
    minutes: float = 0.0
    best: float = -math.inf
    history: list[dict[str, float]] = field(default_factory=list)


def learning_rate(params: TrainParams, progress: Progress) -> float:
    """Linear warm-up, then cosine decay to zero over the steps or the minutes, whichever is closer to its end."""
    warm = min(1.0, (progress.step + 1) / max(1, params.warmup_steps))
    return params.lr * warm * 0.5 * (1 + math.cos(math.pi * done(params, progress)))


def done(params: TrainParams, progress: Progress) -> float:
    """Completed share of the run, 0 to 1."""
    spent = progress.minutes / params.budget_min if params.budget_min else 0.0
    return min(1.0, max(spent, progress.step / params.max_steps))


def settings(recipe: Recipe) -> dict[str, Any]:
    """The parameters that a resumed run must share with its checkpoint, such as the held-out speakers."""
    blocks = recipe.model_dump(mode="json", include={"split", "mix", "loss"})
    return {**blocks, "batch_size": recipe.train.batch_size, "seed": recipe.train.seed}


class Workers:
    """Threads that each process a part of the batch on one core.

    On two cores this is 1.5 times as fast as two threads within each operation, and several times as fast if another
    process uses one of the cores, since threads do not wait for each other in each operation.
    """

    def __init__(self, network: Demucs, loss: DenoiserLoss, params: TrainParams) -> None:
        self.network = network
        self.loss = loss
        self.params = params
        self.weights = [weight for weight in network.parameters() if weight.requires_grad]
        self.pool = ThreadPoolExecutor(params.workers, initializer=torch.set_num_threads, initargs=(1,))

    def gradients(self, batch: Batch) -> tuple[float, list[Tensor]]:
        """Loss of the batch and the gradient of each weight."""
        parts = list(zip(*(half.chunk(self.params.workers) for half in batch), strict=True))
        results = list(self.pool.map(self._part, parts, [len(part[0]) / len(batch[0]) for part in parts]))
        sums = [sum(grads[1:], grads[0]) for grads in zip(*(grads for _, grads in results), strict=True)]
        return sum(value for value, _ in results), sums

    def _part(self, part: Batch, share: float) -> tuple[float, tuple[Tensor, ...]]:
        noisy, clean = part
        with torch.autocast("cpu", torch.bfloat16, enabled=self.params.precision == "bfloat16"):
            estimate = self.network(noisy)[:, 0]
        loss = self.loss(estimate.float(), clean) * share
        return float(loss.detach()), torch.autograd.grad(loss, self.weights)


def mixed_ahead(mixer: Mixer, params: TrainParams, step: int) -> Generator[Batch]:
    """Batches for step, step + 1, ...; the next ones are mixed in a thread during training."""

    def make(number: int) -> Batch:
        noisy, clean = mixer.batch(params.batch_size, (params.seed, number))
        return torch.from_numpy(noisy), torch.from_numpy(clean)

    with ThreadPoolExecutor(1) as pool:
        waiting: list[Future[Batch]] = [pool.submit(make, step + ahead) for ahead in range(AHEAD)]
        while True:
            step += 1
            yield waiting.pop(0).result()
            waiting.append(pool.submit(make, step + AHEAD - 1))


def validation_set(speech: Bank, noise: Bank, clips: int) -> list[tuple[float, Tensor, Tensor]]:
    """(SNR in dB, noisy, clean) of whole clips, the same in every run; infinite SNR: clean speech."""
    rng = np.random.default_rng(VAL_SEED)
    examples = []
    for row in rng.permutation(len(speech))[:clips]:
        clean = speech.clip(int(row))
        background = draw_noise(noise, len(clean), rng)
        examples.append((math.inf, torch.from_numpy(clean), torch.from_numpy(clean)))
        for snr_db in VAL_SNRS_DB:
            noisy = clean + scale_noise(clean, background, snr_db)
            examples.append((snr_db, torch.from_numpy(noisy), torch.from_numpy(clean)))
    return examples


def validate(network: Demucs, examples: list[tuple[float, Tensor, Tensor]]) -> dict[str, float]:
    """Mean SI-SDR improvement at each SNR, their mean `gain_db`, and SI-SDR on clean speech."""
    values: dict[float, list[float]] = {}
    for snr_db, noisy, clean in examples:
        after = float(si_sdr(enhance(network, noisy), clean))
        before = 0.0 if math.isinf(snr_db) else float(si_sdr(noisy, clean))
        values.setdefault(snr_db, []).append(after - before)
    means = {f"gain_db_at_{snr:g}": float(np.mean(values[snr])) for snr in VAL_SNRS_DB}
    return {
        **means,
        "clean_db": float(np.mean(values[math.inf])),
        "gain_db": float(np.mean(list(means.values()))),
    }


class Trainer:
    """The state of one run: network, moving average of its weights, optimiser and progress."""

    def __init__(self, recipe: Recipe, out: Path, example: Tensor) -> None:
        torch.manual_seed(recipe.train.seed)
        self.recipe, self.params, self.out = recipe, recipe.train, out
        self.network = build(recipe.network, normalize=False)
        if recipe.network.filter_bank:
            start_as_filter_bank(self.network, example)
        self.average = copy.deepcopy(self.network)
        self.workers = Workers(self.network, DenoiserLoss(recipe.loss), self.params)
        self.optimiser = torch.optim.Adam(self.workers.weights, lr=self.params.lr, fused=True)
        self.progress = Progress()

    def step(self, batch: Batch) -> float:
        """One update; returns the loss. Raises TrainingError when it is not finite."""
        loss, gradients = self.workers.gradients(batch)
        if not math.isfinite(loss):
            raise TrainingError(f"step {self.progress.step}: loss is {loss}; lower train.lr and resume")
        for weight, gradient in zip(self.workers.weights, gradients, strict=True):
            weight.grad = gradient
        torch.nn.utils.clip_grad_norm_(self.workers.weights, self.params.clip_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.params, self.progress)
        self.optimiser.step()
        # A smaller decay at the beginning, so that the initial weights do not remain in the average.
        decay = min(self.params.ema_decay, (1 + self.progress.step) / (10 + self.progress.step))
        with torch.no_grad():
            averages = list(self.average.parameters())
            torch._foreach_lerp_(averages, self.workers.weights, 1 - decay)
        self.progress.step += 1
        return loss

    def state(self) -> dict[str, Any]:
        """Checkpoint: everything that a resumed run needs, in plain types and tensors."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": asdict(self.progress),
            "args": self.recipe.network.model_dump(),
            "settings": settings(self.recipe),
        }

    def save(self, name: str) -> None:
        """Write a checkpoint under a temporary name, then rename."""
        self.out.mkdir(parents=True, exist_ok=True)
        temporary = self.out / f"{name}.tmp"
        torch.save(self.state(), temporary)
        temporary.replace(self.out / name)

    def resume(self, path: Path) -> None:
        """Resume from a checkpoint of the same network and parameters. Raises CheckpointError."""
        try:
            state = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.progress = Progress(**state["progress"])
        except Exception as error:  # torch raises a different class for each kind of damage
            reason = str(error).splitlines()[0]
            message = f"{path}: not a checkpoint of this network ({reason}); move it away to start again"
            raise CheckpointError(message) from None
        now, then = settings(self.recipe), state.get("settings", {})
        if changed := [name for name in now if now[name] != then.get(name)]:
            raise CheckpointError(f"{path}: trained with another {changed[0]}; move it away to start again")


def fit(recipe: Recipe, banks: dict[str, tuple[Bank, Bank]], out: Path) -> Trainer:
    """Train to the end of the schedule, resuming from `last.pt` if it exists; writes last.pt, best.pt, history.csv."""
    mixer = Mixer(*banks["train"], recipe.mix)
    levels, _ = mixer.batch(LEVEL_EXAMPLES, (recipe.train.seed,))
    trainer = Trainer(recipe, out, torch.from_numpy(levels))
    if (out / "last.pt").exists():
        trainer.resume(out / "last.pt")
    params, progress = recipe.train, trainer.progress
    examples = validation_set(*banks["val"], clips=params.val_clips)
    averaged = build(recipe.network, normalize=True).eval()
    batches = mixed_ahead(mixer, params, progress.step)
    losses: list[float] = []
    clock, checked = time.monotonic(), progress.minutes
    while (share := done(params, progress)) < 1:
        losses.append(trainer.step(next(batches)))
        now = time.monotonic()
        progress.minutes, clock = progress.minutes + (now - clock) / 60, now
        if progress.minutes - checked >= params.checkpoint_min or done(params, progress) >= 1:
            checked = progress.minutes
            averaged.load_state_dict(trainer.average.state_dict())
            _record(trainer, {"done": share, "loss": float(np.mean(losses)), **validate(averaged, examples)})
            losses = []
    batches.close()
    trainer.workers.pool.shutdown()
    return trainer


def _record(trainer: Trainer, measured: dict[str, float]) -> None:
    progress, params, mix = trainer.progress, trainer.params, trainer.recipe.mix
    hours = progress.step * params.batch_size * mix.segment_s / 3600
    where = {"step": progress.step, "minutes": progress.minutes, "audio_h": hours}
    progress.history.append({**where, "lr": learning_rate(params, progress), **measured})
    print(" ".join(f"{key}={value:.4g}" for key, value in progress.history[-1].items()), flush=True)
    if measured["gain_db"] > progress.best:
        progress.best = measured["gain_db"]
        trainer.save("best.pt")
    trainer.save("last.pt")
    with (trainer.out / "history.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(progress.history[-1]))
        writer.writeheader()
        writer.writerows(progress.history)


@stage
def main() -> None:
    """Train on the cache with the parameters in params.yaml."""
    recipe = load_recipe()
    fit(recipe, open_banks(CACHE, recipe.split), OUT)


if __name__ == "__main__":
    main()
