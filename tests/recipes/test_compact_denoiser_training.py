"""The recipe's loss, network, training loop, export and evaluation, on toy data."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("pesq", reason="the recipe's packages are not installed: make recipe")

from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from featurize.errors import CheckpointError, SerError, TrainingError, WeightsError
from recipes.compact_denoiser import train
from recipes.compact_denoiser.data import open_banks
from recipes.compact_denoiser.evaluate import (
    evaluate,
    held_out_pairs,
    metrics,
    score,
    summarise,
    table,
    table_by_noise,
)
from recipes.compact_denoiser.export import export, load, sha256
from recipes.compact_denoiser.loss import DenoiserLoss, si_sdr, thresholded_sdr
from recipes.compact_denoiser.network import build, enhance, mdct_basis, start_as_filter_bank
from recipes.compact_denoiser.params import LossParams, NetworkParams, Recipe
from recipes.compact_denoiser.stage import stage


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_loss_is_zero_at_identity_and_positive_elsewhere() -> None:
    loss = DenoiserLoss(LossParams())
    clean = noise(2, 8000)
    assert loss(clean, clean).item() == pytest.approx(0, abs=1e-4)
    assert (
        loss(clean + 0.1 * noise(2, 8000, seed=1), clean)
        > loss(clean + 0.01 * noise(2, 8000, seed=1), clean)
        > 0
    )


def test_si_sdr_by_hand() -> None:
    target = torch.tensor([1.0, -1.0, 1.0, -1.0])
    error = torch.tensor([1.0, 1.0, -1.0, -1.0])  # orthogonal to the target, zero mean
    assert si_sdr(target + 0.1 * error, target).item() == pytest.approx(20, abs=1e-4)
    assert si_sdr(3 * target + error, target).item() == pytest.approx(10 * math.log10(9), abs=1e-4)


@given(scale=st.floats(0.01, 100), offset=st.floats(-1, 1))
def test_si_sdr_ignores_scale_and_offset(scale: float, offset: float) -> None:
    target = noise(4000).double()
    estimate = target + 0.3 * noise(4000, seed=1)
    assert si_sdr(scale * estimate + offset, target).item() == pytest.approx(
        si_sdr(estimate, target).item(), abs=1e-3
    )


def test_thresholded_sdr_saturates() -> None:
    clean = noise(4000)
    assert thresholded_sdr(clean, clean, 30.0).item() == pytest.approx(30)
    assert thresholded_sdr(torch.zeros(4000), clean, 30.0).item() == pytest.approx(0, abs=0.01)


def test_mdct_reconstructs() -> None:
    basis = mdct_basis(32)[:, None]  # (32, 1, 64)
    x = noise(1, 1, 32 * 20)
    back = nn.functional.conv_transpose1d(nn.functional.conv1d(x, basis, stride=32), basis, stride=32)
    assert torch.allclose(back[..., 32:-32], x[..., 32:-32], atol=1e-4)


def test_network_starts_near_the_identity(recipe: Recipe) -> None:
    torch.manual_seed(0)
    network = build(recipe.network)
    x = noise(8, 8000)
    assert si_sdr(enhance(network, x[0]), x[0]) < 0
    start_as_filter_bank(network, x)
    assert si_sdr(enhance(network, x[0]), x[0]) > 10


def test_a_clip_that_begins_in_mid_speech_keeps_its_ends(recipe: Recipe) -> None:
    torch.manual_seed(0)
    network = build(recipe.network)
    x = noise(8, 8000)
    start_as_filter_bank(network, x)
    ends = [slice(0, 32), slice(-32, None)]
    assert all(si_sdr(enhance(network, x[0])[end], x[0][end]) > 10 for end in ends)
    assert si_sdr(network(x[:1])[0, 0, :32], x[0, :32]) < 8


def test_filter_bank_needs_one_layer() -> None:
    with pytest.raises(ValueError, match="filter_bank needs depth 1"):
        NetworkParams(depth=4, kernel_size=8, stride=4)
    assert NetworkParams(depth=4, kernel_size=8, stride=4, filter_bank=False).depth == 4


def test_learning_rate_warms_up_and_ends_at_zero(recipe: Recipe) -> None:
    params = recipe.train.model_copy(update={"warmup_steps": 10, "max_steps": 1000, "budget_min": 60.0})
    rates = [train.learning_rate(params, train.Progress(step=step)) for step in (0, 9, 500, 1000)]
    assert rates[0] == pytest.approx(params.lr / 10)
    assert rates[1] == pytest.approx(params.lr, rel=1e-3)
    assert rates[2] == pytest.approx(params.lr / 2)
    assert rates[3] == 0
    assert train.learning_rate(params, train.Progress(step=20, minutes=60)) == 0


def test_resumed_run_ends_with_the_same_weights(
    recipe: Recipe, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    banks = open_banks(cache, recipe.split)
    whole = train.fit(recipe, banks, tmp_path / "whole")
    assert whole.progress.step == recipe.train.max_steps

    validations = 0
    validate = train.validate

    def pull_the_plug(*args: object) -> dict[str, float]:
        nonlocal validations
        validations += 1
        if validations == 3:
            raise KeyboardInterrupt
        return validate(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train, "validate", pull_the_plug)
        train.fit(recipe, banks, tmp_path / "cut")
    resumed = train.fit(recipe, banks, tmp_path / "cut")
    assert len(resumed.progress.history) == len(whole.progress.history)
    for trained in ("network", "average"):
        ours, theirs = getattr(resumed, trained).state_dict(), getattr(whole, trained).state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert (tmp_path / "cut" / "best.pt").exists()
    assert len((tmp_path / "cut" / "history.csv").read_text().splitlines()) == 1 + recipe.train.max_steps


def test_workers_share_a_batch_without_changing_its_gradient(recipe: Recipe) -> None:
    torch.manual_seed(0)
    network, loss = build(recipe.network, normalize=False), DenoiserLoss(recipe.loss)
    batch = noise(4, 4000), noise(4, 4000, seed=1)
    results = []
    for count in (1, 2):
        workers = train.Workers(network, loss, recipe.train.model_copy(update={"workers": count}))
        results.append(workers.gradients(batch))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    for one, two in zip(results[0][1], results[1][1], strict=True):
        assert torch.allclose(one, two, rtol=1e-3, atol=1e-5)


def test_diverged_training_says_so(recipe: Recipe) -> None:
    trainer = train.Trainer(recipe, Path("unused"), noise(4, 8000))
    with pytest.raises(TrainingError, match="loss is nan"):
        trainer.step((torch.full((4, 8000), math.nan), noise(4, 8000)))


def test_foreign_checkpoint_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes(b"something else")
    trainer = train.Trainer(recipe, tmp_path, noise(4, 8000))
    with pytest.raises(CheckpointError, match="not a checkpoint of this network") as error:
        trainer.resume(tmp_path / "last.pt")
    assert len(str(error.value).splitlines()) == 1


def test_run_with_other_held_out_speakers_does_not_resume(recipe: Recipe, tmp_path: Path) -> None:
    train.Trainer(recipe, tmp_path, noise(4, 8000)).save("last.pt")
    split = recipe.split.model_copy(update={"val": recipe.split.test})
    other = train.Trainer(recipe.model_copy(update={"split": split}), tmp_path, noise(4, 8000))
    with pytest.raises(CheckpointError, match="trained with another split"):
        other.resume(tmp_path / "last.pt")


@pytest.fixture
def weights(recipe: Recipe, cache: Path, tmp_path: Path) -> Path:
    """Exported weights of an untrained network."""
    trainer = train.Trainer(recipe, tmp_path / "checkpoints", noise(4, 8000))
    trainer.progress.best = 1.0
    trainer.progress.history = [{"step": 0, "minutes": 0.0, "audio_h": 0.0, "gain_db": 1.0}]
    trainer.save("best.pt")
    path = tmp_path / "out" / "compact.safetensors"
    export(tmp_path / "checkpoints" / "best.pt", path, recipe, open_banks(cache, recipe.split), cache)
    return path


def test_exported_weights_come_back(weights: Path, recipe: Recipe, tmp_path: Path) -> None:
    network, metadata = load(weights)
    original = torch.load(tmp_path / "checkpoints" / "best.pt", weights_only=True)["average"]
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, original[name].half().float())
    args = json.loads(metadata["args"])
    assert args["causal"]
    assert args["normalize"]
    assert args["hidden"] == recipe.network.hidden
    assert metadata["edge"] == "32"
    splits = json.loads(metadata["data"])
    assert splits["train"]["speakers"] == ["toy/a", "toy/b"]
    assert splits["test"]["noises"] == ["room/wind"]
    assert weights.with_suffix(".sha256").read_text() == f"{sha256(weights)}  compact.safetensors\n"
    assert weights.stat().st_size < 2.1 * sum(weight.numel() for weight in network.parameters()) + 8000


def test_damaged_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such weights file"):
        load(tmp_path / "none.safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="damaged") as error:
        load(weights)
    assert len(str(error.value).splitlines()) == 1


def test_foreign_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(WeightsError, match="format is None"):
        load(tmp_path / "foreign.safetensors")
    _, metadata = load(weights)
    tensors = load_file(weights)
    tensors.popitem()
    save_file(tensors, tmp_path / "partial.safetensors", metadata)
    with pytest.raises(WeightsError, match="do not fit"):
        load(tmp_path / "partial.safetensors")


def test_score_of_the_clean_clip_itself(make_speech: Callable[[int], np.ndarray]) -> None:
    clean = make_speech(0)
    scores = score(clean, clean)
    assert scores["si_sdr_db"] > 60
    assert scores["stoi"] == pytest.approx(1, abs=1e-3)


def test_evaluation_covers_every_condition(weights: Path, recipe: Recipe, cache: Path) -> None:
    pairs = held_out_pairs(*open_banks(cache, recipe.split)["test"], recipe.evaluate)
    assert {pair.speaker for pair in pairs} == {"toy/d"}
    assert {pair.noise for pair in pairs} == {"room/wind"}
    scores = evaluate(pairs, recipe.evaluate, weights)
    assert len(scores) == 2 * 2 * 2  # clips, conditions, systems
    untouched = scores[scores["system"] == "none"]
    assert np.allclose(untouched["si_sdr_db_gain"], 0)
    summary = summarise(scores)
    text = table(summary)
    assert text.count("\n") == 2 + 4
    assert "| clean | none | ∞ |" in text
    assert "room/wind | 2 |" in table_by_noise(scores, "compact")
    assert set(metrics(summary)["compact"]) == {"0", "clean"}


def test_the_card_names_the_training_speakers(weights: Path) -> None:
    from recipes.compact_denoiser.card import card

    text = card(weights, "| the table |\n")
    assert "speakers: toy/a, toy/b" in text
    assert sha256(weights) in text
    assert "toy CC0" in text


def test_a_stage_runs_in_the_recipes_folder_and_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    @stage
    def main() -> None:
        seen.append(Path.cwd())
        raise SerError("what, where, what to do")

    folder = tmp_path / "recipes" / "compact_denoiser"
    folder.mkdir(parents=True)
    for called_from in (tmp_path, folder):
        monkeypatch.chdir(called_from)
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == 2
        assert capsys.readouterr().err == "error: what, where, what to do\n"
        assert Path.cwd() == called_from
    assert seen == [folder, folder]
