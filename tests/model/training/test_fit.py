"""fit(): learns, is reproducible bit for bit, selects the best epoch, and refuses invalid data."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from featurize.errors import TrainingError
from model.batches import Features
from model.checkpoint import load_checkpoint
from model.logits import predict_logits
from model.network.tier1 import NetworkParams, SERTier1, build_network
from model.training.fit import EpochResult, FitResult, TrainParams, fit
from model.training.hyperparameters import SpecAugmentParams
from model.training.schedules import Schedule
from model.training.trainer import Trainer

FAST = TrainParams(epochs=3, validate_every=1, batch_size=8, lr=1e-2, warmup_epochs=1)
OFF = SpecAugmentParams(time_masks=0, freq_masks=0)


@pytest.fixture
def run(
    tmp_path: Path, toy_params: NetworkParams, toy_features: Callable[..., Features]
) -> Callable[..., Any]:
    """Train a toy network on toy clips; returns it with the result."""

    def go(
        params: TrainParams = FAST,
        train: Features | None = None,
        val: Features | None = None,
        out: str = "out",
        network_params: NetworkParams = toy_params,
        **options: Any,
    ) -> tuple[SERTier1, FitResult]:
        network = build_network(4, 3, network_params, params.seed)
        train = toy_features(48, seed=1) if train is None else train
        val = toy_features(15, seed=2) if val is None else val
        return network, fit(network, train, val, params, tmp_path / out, **options)

    return go


def test_a_learnable_task_is_learnt(run: Callable[..., Any], toy_features: Callable[..., Features]) -> None:
    params = FAST.model_copy(update={"epochs": 8, "lr": 2e-2, "spec_augment": OFF, "patience": 0})
    network, result = run(params, train=toy_features(96, seed=1))
    assert result.best_uar > 0.95
    assert result.history[-1].train_loss < 0.7 * result.history[0].train_loss
    unseen = toy_features(60, seed=3)
    predicted = predict_logits(network, unseen).argmax(1).numpy()
    assert (predicted == unseen.labels).mean() > 0.9


def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    run: Callable[..., Any], toy_params: NetworkParams, tmp_path: Path
) -> None:
    dropout = toy_params.model_copy(update={"dropout": 0.2})
    first, result = run(out="a", network_params=dropout)
    torch.rand(7)  # whatever the process drew in between
    again, repeated = run(out="b", network_params=dropout)
    other, _ = run(FAST.model_copy(update={"seed": 1}), out="c", network_params=dropout)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert result.history == repeated.history
    assert (tmp_path / "a/last.pt").read_bytes() == (tmp_path / "b/last.pt").read_bytes()
    assert not torch.equal(first.head.weight, other.head.weight)


def test_training_does_not_change_the_global_random_state(run: Callable[..., Any]) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    run()
    assert torch.equal(torch.rand(1), expected)


def test_every_step_uses_its_rate_and_every_epoch_is_reported(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reported, steps = [], []
    rate = Schedule.rate

    def watched(self: Schedule, step: int) -> float:
        steps.append((step, self.total_steps, self.warmup_steps))
        return rate(self, step)

    monkeypatch.setattr(Schedule, "rate", watched)
    _, result = run(on_epoch=reported.append)
    assert steps == [(step, 18, 6) for step in range(18)]
    assert reported == result.history
    assert [epoch.epoch for epoch in reported] == [1, 2, 3]
    schedule = Schedule(FAST, 6)
    assert [epoch.learning_rate for epoch in reported] == [rate(schedule, step) for step in (5, 11, 17)]


def scripted(monkeypatch: pytest.MonkeyPatch, scores: list[tuple[float, float]]) -> None:
    """Let validation answer (uar, loss) from a list."""
    answers = iter(scores)

    def validate(self: Trainer, val: Features, epoch: int, train_loss: float) -> EpochResult:
        uar, loss = next(answers)
        return EpochResult(epoch, self.rate, train_loss, loss, uar, uar, uar)

    monkeypatch.setattr(Trainer, "validate", validate)


def test_it_stops_early_after_patience(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [(0.5, 1.0), (0.7, 1.0), (0.6, 0.5), (0.7, 1.0), (0.9, 0.1)])
    _, result = run(FAST.model_copy(update={"epochs": 9, "patience": 2}))
    assert len(result.history) == 4
    assert (result.best_epoch, result.best_uar) == (2, 0.7)


def test_of_equal_scores_the_lower_loss_wins_and_patience_0_never_stops(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, [(0.5, 1.0), (0.5, 0.8), (0.5, 0.9), (0.2, 0.1)])
    _, result = run(FAST.model_copy(update={"epochs": 4, "patience": 0}))
    assert len(result.history) == 4
    assert result.best_epoch == 2


def test_only_every_so_many_epochs_and_the_last_are_validated(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = []
    run_epoch = Trainer.run_epoch
    monkeypatch.setattr(Trainer, "run_epoch", lambda self, n: losses.append(run_epoch(self, n)) or losses[-1])
    params = FAST.model_copy(update={"epochs": 5, "validate_every": 2, "patience": 0})
    _, result = run(params)
    assert [epoch.epoch for epoch in result.history] == [2, 4, 5]
    means = [np.mean(losses[:2]), np.mean(losses[2:4]), losses[4]]
    assert [epoch.train_loss for epoch in result.history] == pytest.approx(means)
    # the steps are those of a run that is validated after each epoch
    run(params.model_copy(update={"validate_every": 1}), out="always")
    last = [load_checkpoint(result.last_path.parents[1] / out / "last.pt")[0] for out in ("out", "always")]
    for name, value in last[0].state_dict().items():
        assert torch.equal(value, last[1].state_dict()[name]), name


def test_patience_counts_epochs_and_not_validations(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, [(0.5, 1.0), (0.4, 1.0), (0.4, 1.0), (0.9, 1.0)])
    _, result = run(FAST.model_copy(update={"epochs": 9, "validate_every": 2, "patience": 4}))
    assert [epoch.epoch for epoch in result.history] == [2, 4, 6]


def with_copies(features: Features, copies: int) -> Features:
    """Each clip and so many copies of it."""
    names = ["", *(f"{number}-pitch" for number in range(copies))]
    columns = {"augmentation": np.tile(np.array(names, dtype=object), len(features))}
    clips = [clip for clip in features.views["mfcc"] for _ in names]
    return Features({"mfcc": clips}, np.repeat(features.labels, len(names)), columns)


@pytest.mark.parametrize("sampler", ["shuffle", "balanced"])
def test_copies_make_no_epoch_longer_and_all_are_drawn(
    run: Callable[..., Any],
    toy_features: Callable[..., Features],
    monkeypatch: pytest.MonkeyPatch,
    sampler: str,
) -> None:
    seen = []
    run_step = Trainer.run_step
    monkeypatch.setattr(
        Trainer, "run_step", lambda self, index, *rest: seen.append(index) or run_step(self, index, *rest)
    )
    params = FAST.model_copy(update={"sampler": sampler})
    for copies in (0, 2):
        seen.clear()
        run(params, train=with_copies(toy_features(24, seed=1), copies), out=str(copies))
        assert len(seen) == 3 * 3
        assert np.bincount(np.concatenate(seen)).tolist() == [3 // (1 + copies)] * 24 * (1 + copies)


def test_one_best_checkpoint_is_left_with_the_best_epochs_weights(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scripted(monkeypatch, [(0.5, 1.0), (0.8125, 1.0), (0.6, 1.0)])
    out = tmp_path / "out"
    out.mkdir()
    (out / "best_uar_0.9999.pt").write_text("of an earlier run")
    files = []
    network, result = run(
        args={"labels": ["a", "b", "c"]},
        on_epoch=lambda _: files.append(sorted(p.name for p in out.iterdir())),
    )
    assert files[0] == ["best_uar_0.5000.pt", "last.pt"]
    assert files[2] == ["best_uar_0.8125.pt", "last.pt"]
    assert sorted(p.name for p in out.iterdir()) == files[2]
    assert result.best_path == out / "best_uar_0.8125.pt"
    best, args = load_checkpoint(result.best_path)
    last, last_args = load_checkpoint(result.last_path)
    assert (args["epoch"], args["val_uar"], args["labels"]) == (2, 0.8125, ["a", "b", "c"])
    assert (last_args["epoch"], last_args["val_uar"]) == (3, 0.6)
    for name, value in best.state_dict().items():
        assert torch.equal(value, network.state_dict()[name]), name
    assert not torch.equal(best.head.weight, last.head.weight)


def test_the_temperature_is_fitted_on_validation_after_training(
    run: Callable[..., Any], toy_features: Callable[..., Features], toy_params: NetworkParams
) -> None:
    val = toy_features(60, seed=2)
    network, result = run(val=val)
    assert not network.training
    assert result.temperature != 1.0
    stored, _ = load_checkpoint(result.best_path)
    assert float(stored.temperature) == result.temperature == float(network.temperature)
    assert float(load_checkpoint(result.last_path)[0].temperature) == 1.0
    labels = torch.from_numpy(val.labels)
    fitted = predict_logits(network, val)
    loss = torch.nn.functional.cross_entropy
    assert loss(fitted, labels) < loss(fitted * result.temperature, labels)
    _, off = run(network_params=toy_params.model_copy(update={"temperature": False}), out="off")
    assert off.temperature == 1.0


def test_training_again_starts_from_an_uncalibrated_network(
    toy_network: SERTier1, toy_features: Callable[..., Features], tmp_path: Path
) -> None:
    toy_network.temperature.fill_(9.0)
    params = FAST.model_copy(update={"epochs": 1})
    fit(toy_network, toy_features(24, seed=1), toy_features(9, seed=2), params, tmp_path)
    assert float(load_checkpoint(tmp_path / "last.pt")[0].temperature) == 1.0


def test_normalisation_is_learnt_on_train_alone(
    run: Callable[..., Any], toy_features: Callable[..., Features]
) -> None:
    train = toy_features(24, seed=1)
    near = toy_features(9, seed=2)
    val = Features({"mfcc": [clip + 1000 for clip in near.views["mfcc"]]}, near.labels)
    network, _ = run(train=train, val=val)
    mean = network.streams["mfcc"].feature_mean.numpy()
    assert np.allclose(mean, np.concatenate(train.views["mfcc"]).mean(0), atol=1e-4)


def test_validation_scores_are_those_of_the_logits(
    run: Callable[..., Any], toy_features: Callable[..., Features]
) -> None:
    val = toy_features(15, seed=2)
    network, result = run(FAST.model_copy(update={"epochs": 1}), val=val)
    logits = predict_logits(network, val) * result.temperature
    labels = torch.from_numpy(val.labels)
    only = result.history[0]
    assert only.val_loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits, labels)), rel=1e-4)
    assert only.val_accuracy == pytest.approx(float((logits.argmax(1) == labels).float().mean()))


def test_predictions_do_not_depend_on_the_batch_size_and_keep_the_order(
    toy_network: SERTier1, toy_features: Callable[..., Features]
) -> None:
    features = toy_features(11, seed=4)
    alone = predict_logits(toy_network, features, batch_size=1)
    assert torch.allclose(predict_logits(toy_network, features, batch_size=4), alone, atol=1e-5)
    clip = torch.from_numpy(features.views["mfcc"][7].T)[None]
    assert torch.allclose(toy_network.eval()(clip)["logits"][0], alone[7], atol=1e-5)


def test_class_weights_and_label_smoothing_reach_the_loss(
    run: Callable[..., Any], toy_features: Callable[..., Features]
) -> None:
    few = toy_features(48, seed=1)
    keep = np.flatnonzero((few.labels != 2) | (np.arange(48) < 6))
    skewed = Features({"mfcc": [few.views["mfcc"][i] for i in keep]}, few.labels[keep])
    plain, _ = run(train=skewed, out="a")
    balanced, _ = run(FAST.model_copy(update={"class_weights": "balanced"}), train=skewed, out="b")
    sharp, _ = run(FAST.model_copy(update={"label_smoothing": 0.0}), train=skewed, out="c")
    assert not torch.equal(plain.head.weight, balanced.head.weight)
    assert not torch.equal(plain.head.weight, sharp.head.weight)


def test_gradients_are_clipped(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    norms = []
    clip = torch.nn.utils.clip_grad_norm_

    def watched(parameters: Any, max_norm: float) -> Tensor:
        parameters = list(parameters)
        before = clip(parameters, max_norm)
        after = math.sqrt(sum(float((p.grad**2).sum()) for p in parameters))
        norms.append((max_norm, after))
        return before

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", watched)
    run(FAST.model_copy(update={"grad_clip": 0.05}))
    assert len(norms) == 18
    assert all(limit == 0.05 and after <= 0.0501 for limit, after in norms)
    norms.clear()
    run(FAST.model_copy(update={"grad_clip": 0.0}), out="free")
    assert norms == []


def without(features: Features, keep: np.ndarray) -> Features:
    return Features({"mfcc": [features.views["mfcc"][i] for i in keep]}, features.labels[keep], {})


def test_what_cannot_be_trained_on_is_refused_before_any_epoch(
    run: Callable[..., Any], toy_features: Callable[..., Features], tmp_path: Path
) -> None:
    good = toy_features(12, seed=1)
    empty = Features({"mfcc": []}, np.zeros(0, dtype=np.int64))
    one_class = without(good, np.flatnonzero(good.labels == 1))
    nan, wide, short = toy_features(12, seed=1), toy_features(12, seed=1), toy_features(12, seed=1)
    nan.views["mfcc"][5][3, 2] = np.nan
    wide.views["mfcc"][5] = np.zeros((8, 5), dtype=np.float32)
    short.views["mfcc"][5] = np.zeros((0, 4), dtype=np.float32)
    many = Features({"mfcc": good.views["mfcc"]}, good.labels + 1)
    for split in ("train", "val"):
        for features, match in (
            (empty, f"the {split} split is empty"),
            (nan, "toy/1/5: features hold NaN"),
            (wide, r"toy/1/5: features of shape \(8, 5\), not \(frames, 4\)"),
            (short, r"toy/1/5: features of shape \(0, 4\)"),
            (many, f"the {split} split has a class outside the network's 3"),
        ):
            with pytest.raises(TrainingError, match=match):
                run(**{split: features})
    with pytest.raises(TrainingError, match="only one class"):
        run(train=one_class)
    assert not (tmp_path / "out").exists()
    run(val=one_class)  # a validation split of one class is poor, and no error


def test_a_loss_that_is_not_finite_stops_training_with_advice(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(
        TrainingError, match=r"not finite in epoch 1; lower train\.lr \(now 1e\+30\)"
    ) as caught:
        run(FAST.model_copy(update={"lr": 1e30, "grad_clip": 0.0}))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"lr": 0}, {"lr": float("inf")}, {"schedule": "sometimes"}, {"seed": -1}, {"epoch": 3}],
)
def test_impossible_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrainParams(**wrong)
