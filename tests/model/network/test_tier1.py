"""SERTier1: the logits of a clip do not depend on its batch, in evaluation and in training."""

import copy
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor

from model.moments import Moments, Statistics
from model.network.batchnorm import MaskedBatchNorm
from model.network.tier1 import EncoderStreamParams, NetworkParams, SERTier1, build_network
from model.views import View

VARIANTS = [
    NetworkParams(
        attention_heads=2, conv_channels=(6, 8), time_pooling=1, lstm_hidden=5, dropout=0.0, lstm_dropout=0.0
    ),
    NetworkParams(
        conv_channels=(4,),
        lstm_hidden=3,
        lstm_layers=1,
        depthwise=False,
        pooling="mean",
        dropout=0.0,
        lstm_dropout=0.0,
        time_pooling=1,
    ),
    NetworkParams(
        conv_channels=(5, 5, 7), kernel_size=3, lstm_hidden=4, lstm_layers=3, dropout=0.0, lstm_dropout=0.0
    ),
    NetworkParams(
        normalisation="clip",
        deltas=2,
        pooling="attentive-statistics",
        conv_channels=(6,),
        lstm_hidden=3,
        dropout=0.0,
        lstm_dropout=0.0,
    ),
    NetworkParams(
        time_pooling=3, conv_channels=(6, 8), kernel_size=3, lstm_hidden=4, dropout=0.0, lstm_dropout=0.0
    ),
    NetworkParams(
        deltas=1, affect=True, conv_channels=(6,), lstm_hidden=3, lstm_layers=1, dropout=0.0, lstm_dropout=0.0
    ),
]
LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=6)


def logits(network: SERTier1, mfcc: Tensor, num_frames: Tensor | None) -> Tensor:
    """Of a copy, since training moves running statistics."""
    return copy.deepcopy(network)(mfcc, num_frames)["logits"].detach()


@settings(max_examples=25)
@given(
    variant=st.sampled_from(VARIANTS),
    training=st.booleans(),
    settled=st.booleans(),
    lengths=LENGTHS,
    seed=st.integers(0, 1000),
)
def test_logits_of_a_clip_are_the_same_alone_and_in_any_batch(
    variant: NetworkParams, training: bool, settled: bool, lengths: list[int], seed: int
) -> None:
    network = build_network(4, 3, variant, seed)
    generator = torch.Generator().manual_seed(seed)
    mfcc = torch.full((len(lengths), 4, max(lengths) + 3), 1e4)  # junk past each clip's end
    for row, length in zip(mfcc, lengths, strict=True):
        row[:, :length] = 3 + 2 * torch.randn(4, length, generator=generator)
    num_frames = torch.tensor(lengths)
    if settled:
        network.fit_batchnorm(mfcc, num_frames)
    network.train(training)
    together = logits(network, mfcc, num_frames)
    for clip, length in enumerate(lengths):
        alone = logits(network, mfcc[clip : clip + 1, :, :length], None)
        assert torch.allclose(together[clip], alone[0], atol=1e-5, rtol=0)


def test_training_and_evaluation_agree_without_dropout(toy_network: SERTier1) -> None:
    mfcc = torch.randn(3, 4, 11)
    assert torch.allclose(
        logits(toy_network.train(), mfcc, None), logits(toy_network.eval(), mfcc, None), atol=1e-6
    )


def test_full_size_network_is_exact_on_padding_too() -> None:
    network = build_network(40, 4, NetworkParams(), seed=0)
    mfcc = torch.randn(3, 40, 50)
    num_frames = torch.tensor([50, 1, 23])
    network.fit_batchnorm(mfcc, num_frames)
    network.eval()
    together = logits(network, mfcc, num_frames)
    for clip, length in enumerate(num_frames.tolist()):
        assert torch.allclose(
            together[clip], logits(network, mfcc[clip : clip + 1, :, :length], None)[0], atol=1e-5
        )


def test_number_of_parameters_is_what_the_docstring_says() -> None:
    described = NetworkParams(conv_channels=(128, 256), lstm_hidden=128)
    for network in (SERTier1(40, 4), SERTier1(40, 4, described)):
        total = sum(p.numel() for p in network.parameters())
        assert f"{total:,}" in (SERTier1.__doc__ or "")


def test_output_is_logits_probabilities_and_confidence(toy_network: SERTier1) -> None:
    output = toy_network.eval()(torch.randn(2, 4, 7))
    assert set(output) == {"logits", "probs", "confidence"}
    assert output["logits"].shape == output["probs"].shape == (2, 3)
    assert torch.allclose(output["probs"].sum(1), torch.ones(2))
    assert torch.equal(output["confidence"], output["probs"].max(1).values)


def test_temperature_divides_logits_is_stored_and_is_no_parameter(toy_network: SERTier1) -> None:
    mfcc = torch.randn(2, 4, 7)
    toy_network.eval()
    before = logits(toy_network, mfcc, None)
    toy_network.temperature.fill_(2.5)
    assert torch.allclose(logits(toy_network, mfcc, None) * 2.5, before)
    assert "temperature" in toy_network.state_dict()
    assert "temperature" not in dict(toy_network.named_parameters())


def statistics(clips: list[Any]) -> Statistics:
    return reduce(add, map(Moments.of, clips)).statistics


def test_normalisation_is_that_of_all_frames_and_makes_scale_and_level_irrelevant(
    toy_network: SERTier1,
) -> None:
    rng = np.random.default_rng(0)
    clips = [rng.normal(5, 3, (length, 4)).astype(np.float32) for length in (3, 30, 7)]
    rows = np.concatenate(clips)
    toy_network.eval().set_normalisation({"mfcc": statistics(clips)})
    assert torch.allclose(toy_network.streams["mfcc"].feature_mean, torch.from_numpy(rows.mean(0)), atol=1e-5)
    assert torch.allclose(toy_network.streams["mfcc"].feature_std, torch.from_numpy(rows.std(0)), atol=1e-5)
    before = logits(toy_network, torch.from_numpy(clips[1].T)[None], None)
    toy_network.set_normalisation({"mfcc": statistics([clip * 100 - 7 for clip in clips])})
    after = logits(toy_network, torch.from_numpy(clips[1].T * 100 - 7)[None], None)
    assert torch.allclose(before, after, atol=1e-4)


def test_a_coefficient_that_never_varies_stays_finite(toy_network: SERTier1) -> None:
    clips = [np.full((5, 4), -300.1, dtype=np.float32)]
    toy_network.set_normalisation({"mfcc": statistics(clips)})
    assert torch.equal(toy_network.streams["mfcc"].feature_std, torch.ones(4))


def test_fit_batchnorm_takes_the_statistics_of_its_batch_and_keeps_the_mode(
    toy_params: NetworkParams,
) -> None:
    network = build_network(4, 3, toy_params, seed=3).eval()
    mfcc, num_frames = 5 + torch.randn(6, 4, 12), torch.tensor([12, 5, 1, 7, 12, 3])
    network.fit_batchnorm(mfcc, num_frames)
    assert not network.training
    before = copy.deepcopy(network.state_dict())
    network.train()(mfcc, num_frames)  # the same batch again: nothing to move
    for name, value in network.state_dict().items():
        assert torch.allclose(value, before[name], atol=1e-5), name
    assert not any(m.adopting for m in network.modules() if isinstance(m, MaskedBatchNorm))


def test_first_weights_depend_on_the_seed_alone(toy_params: NetworkParams) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = build_network(4, 3, toy_params, seed=1)
    assert torch.equal(torch.rand(1), expected)
    again, other = build_network(4, 3, toy_params, seed=1), build_network(4, 3, toy_params, seed=2)
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


@pytest.mark.parametrize(
    "wrong",
    [{"kernel_size": 4}, {"views": ("mfcc", "mfcc")}, {"dropout": 1.0}, {"pooling": "max"}, {"heads": 2}],
)
def test_impossible_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NetworkParams(**wrong)


ENCODER = EncoderStreamParams(
    projection=6,
    attention_heads=1,
    conv_channels=(5,),
    kernel_size=3,
    lstm_hidden=3,
    lstm_layers=1,
    dropout=0,
    lstm_dropout=0,
)
VIEWS = [
    NetworkParams(views=("encoder",), encoder=ENCODER),
    NetworkParams(
        views=("encoder",), encoder=ENCODER.model_copy(update={"conv_channels": (), "lstm_layers": 0})
    ),
    NetworkParams(
        views=("mfcc", "encoder"),
        conv_channels=(4,),
        lstm_hidden=3,
        dropout=0,
        lstm_dropout=0,
        encoder=ENCODER,
    ),
    NetworkParams(
        views=("encoder", "mfcc"),
        normalisation="clip",
        statistics=True,
        conv_channels=(4,),
        lstm_hidden=3,
        dropout=0,
        lstm_dropout=0,
        encoder=ENCODER,
    ),
]


@pytest.mark.parametrize("params", VIEWS, ids=lambda params: "+".join(params.views))
@pytest.mark.parametrize("training", [False, True])
def test_every_view_of_a_clip_is_exact_in_any_batch(params: NetworkParams, training: bool) -> None:
    """Each view has its lengths: 2 layers of 5 values at one frame rate, 4 coefficients at another."""
    network = build_network(4, 3, params, seed=0, encoding=(2, 5))
    rng = torch.Generator().manual_seed(3)
    frames: dict[View, Tensor] = {
        "mfcc": torch.randn(3, 4, 20, generator=rng),
        "encoder": torch.randn(3, 10, 9, generator=rng),
    }
    lengths: dict[View, Tensor] = {"mfcc": torch.tensor([20, 3, 11]), "encoder": torch.tensor([5, 9, 1])}
    network.fit_batchnorm(frames, lengths)
    network.train(training)
    together = copy.deepcopy(network)(frames, lengths)["logits"]
    for row in range(3):
        alone = {view: x[row : row + 1, :, : lengths[view][row]] for view, x in frames.items()}
        own = copy.deepcopy(network)(alone, {view: n[row : row + 1] for view, n in lengths.items()})["logits"]
        torch.testing.assert_close(own[0], together[row], atol=1e-5, rtol=1e-4)


def test_all_views_and_layers_have_a_gradient() -> None:
    network = build_network(4, 3, VIEWS[2], seed=0, encoding=(2, 5))
    frames: dict[View, Tensor] = {"mfcc": torch.randn(3, 4, 20), "encoder": torch.randn(3, 10, 9)}
    network(frames, {})["logits"].square().sum().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []
    assert float(network.streams["encoder"].layer_weights.grad.abs().sum()) > 0  # type: ignore[union-attr,operator]


def test_a_view_needs_the_shape_of_its_encoder() -> None:
    with pytest.raises(ValueError, match="the view encoder needs the shape"):
        SERTier1(4, 3, NetworkParams(views=("encoder",)))


def test_a_dimension_that_no_clip_has_stays_unknown(toy_params: NetworkParams) -> None:
    network = build_network(4, 3, toy_params.model_copy(update={"affect": True}), 0).eval()
    assert network.dimensions == []
    network.fit_affect(np.array([[2, np.nan, 3], [np.nan, np.nan, 3], [4, np.nan, np.nan]], np.float32))
    assert network.dimensions == ["valence", "dominance"]
    affect = network(torch.randn(5, 4, 9))["affect"]
    assert affect.isnan().tolist() == [[False, True, False]] * 5


def test_the_head_answers_in_the_units_of_the_training_set(toy_params: NetworkParams) -> None:
    network = build_network(4, 3, toy_params.model_copy(update={"affect": True}), 0).eval()
    clips, values = torch.randn(5, 4, 9), np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    network.fit_affect(values)
    before = network(clips)["affect"]
    network.fit_affect(10 + 3 * values)
    assert torch.allclose(network(clips)["affect"], 10 + 3 * before, atol=1e-4)


def test_a_network_without_the_head_has_no_dimensions(toy_params: NetworkParams) -> None:
    network = build_network(4, 3, toy_params, 0)
    assert network.dimensions == []
    assert "affect" not in network(torch.randn(2, 4, 9))
