"""fit(): trains a network on one split, chooses the epoch on another, and calibrates it there.

The same seed, device and number of threads give the same weights, also when the run was killed and resumed. What the
loop prints or logs is the caller's business: it is told of every epoch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from featurize.errors import TrainingError
from model.batches import Features
from model.checkpoint import save_checkpoint
from model.distributed import rank, told_by_first, world_size
from model.logits import predict_logits
from model.network.normalisation import normalise_speakers
from model.network.tier1 import SERTier1
from model.scoring.calibration import fit_temperature
from model.training.checks import check_features, check_sizes
from model.training.hyperparameters import TrainParams
from model.training.resume import EpochResult, Progress, fingerprint, read_resume
from model.training.trainer import Trainer

__all__ = ["EpochResult", "FitResult", "TrainParams", "fit"]


@dataclass(frozen=True)
class FitResult:
    """What training came to. Epochs count from 1."""

    best_epoch: int
    best_uar: float
    best_path: Path
    last_path: Path
    temperature: float
    history: list[EpochResult]


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
    resume: bool = False,
) -> FitResult:
    """Train a network; leave it on `device` with the weights of its best epoch and a fitted temperature.

    Every `train.validate_every` epochs, and after the last one, the network is validated. The best epoch is that of
    the highest validation UAR, of equals that of the lowest validation loss. Its checkpoint, `best_uar_<score>.pt`, is
    the only such file left in `out_dir`. `last.pt` is that of the last validated epoch, uncalibrated, with all that
    resuming needs. With a moving average of the weights (`train.ema`), that is what
    is validated and saved. Where several processes train along, each takes its share of every batch; the first one
    alone validates, writes and calls `on_epoch`.

    Args:
        network: from `build_network` with the same seed, if the run is to be repeatable.
        train: clips to learn from.
        val: clips to choose epoch and temperature on; of other speakers, if the score is to mean anything.
        params: how to train.
        out_dir: folder for checkpoints.
        device: where to train.
        args: plain types for the checkpoints' `args`: label names, Tier 0 parameters, protocol, ...
        on_epoch: called after each validated epoch; a resumed run calls it for those before, too.
        resume: go on from last.pt in `out_dir`.

    Raises:
        TrainingError: the features cannot be trained on, or the loss is no longer finite.
        CheckpointError: last.pt is missing, damaged or of another run.
        SerError: a checkpoint cannot be written.
    """
    check_features(train, "train", network.n_mfcc, network.num_classes)
    check_features(val, "val", network.n_mfcc, network.num_classes)
    check_sizes(train, params, world_size(), network.params.affect)
    out_dir, args, device = Path(out_dir), args or {}, torch.device(device)
    identity = fingerprint(
        params.model_dump(mode="json"),
        network.params.model_dump(mode="json"),
        args.get("labels"),
        [train, val],
    )
    if network.params.normalisation == "speaker":
        train = normalise_speakers(train)
    network.to(device)
    # Dropout draws from torch's global state: it is seeded for each epoch, and here given back as it was.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        trainer = Trainer(network, train, params, device)
        progress = Progress()
        if resume:
            saved = read_resume(out_dir / "last.pt", identity)
            trainer.load_state_dict(saved["trainer"])
            progress = Progress.of(saved["progress"])
        else:
            trainer.start()
        best = _run(_Run(trainer, val, out_dir, args, identity, on_epoch), progress)
    network.load_state_dict(progress.best_state)
    network.eval()
    if network.params.temperature:
        logits = predict_logits(network, val, device=device)
        network.temperature.fill_(fit_temperature(logits, torch.from_numpy(val.labels)))
    best_path = _best_path(out_dir, best)
    if rank() == 0:
        _save_best(network, best_path, best, args)
    temperature = float(network.temperature)
    return FitResult(best.epoch, best.val_uar, best_path, out_dir / "last.pt", temperature, progress.history)


@dataclass(frozen=True)
class _Run:
    """What the epochs work with."""

    trainer: Trainer
    val: Features
    out_dir: Path
    args: dict[str, Any]
    identity: dict[str, str]
    on_epoch: Callable[[EpochResult], None] | None


def _run(run: _Run, progress: Progress) -> EpochResult:
    """The epochs that are still to come; the best of all."""
    trainer = run.trainer
    first = rank() == 0
    tell = run.on_epoch if run.on_epoch is not None and first else lambda _: None
    for result in progress.history:
        tell(result)
    while not _finished(trainer.params, progress):
        done = progress.epochs
        epoch = min(done + trainer.params.validate_every, trainer.params.epochs)
        losses = [trainer.run_epoch(number) for number in range(done + 1, epoch + 1)]
        result = _validate(run, epoch, sum(losses) / len(losses))
        trainer.schedule.after_validation(trainer.step, result.val_uar, epoch - done)
        if progress.add(result):
            progress.best_state = {
                name: value.detach().cpu().clone() for name, value in trainer.scored.state_dict().items()
            }
            if first:
                _save_best(trainer.scored, _best_path(run.out_dir, result), result, run.args)
        if first:
            state = {
                "trainer": trainer.state_dict(),
                "progress": progress.state_dict(),
                "fingerprint": run.identity,
            }
            own = {**run.args, "epoch": epoch, "val_uar": result.val_uar}
            save_checkpoint(run.out_dir / "last.pt", trainer.scored, own, state)
        tell(result)
    assert progress.best is not None  # noqa: S101 - epochs > 0
    return progress.best


def _finished(params: TrainParams, progress: Progress) -> bool:
    """Whether all epochs are done, or patience is spent."""
    done, best = progress.epochs, progress.best
    waited = done - best.epoch if best else 0
    return done >= params.epochs or bool(params.patience and waited >= params.patience)


def _validate(run: _Run, epoch: int, train_loss: float) -> EpochResult:
    """The first process scores, the others are told."""
    answer: EpochResult | TrainingError | None = None
    if rank() == 0:
        try:
            answer = run.trainer.validate(run.val, epoch, train_loss)
        except TrainingError as error:
            answer = error
    result = told_by_first(answer)
    assert isinstance(result, EpochResult)  # noqa: S101 - the first process always answers
    return result


def _best_path(out_dir: Path, best: EpochResult) -> Path:
    return out_dir / f"best_uar_{best.val_uar:.4f}.pt"


def _save_best(network: SERTier1, path: Path, best: EpochResult, args: dict[str, Any]) -> None:
    """Write the best checkpoint, then remove those that it supersedes."""
    save_checkpoint(path, network, {**args, "epoch": best.epoch, "val_uar": best.val_uar})
    for other in path.parent.glob("best_uar_*.pt"):
        if other != path:
            other.unlink()
