"""The layers equal slow references."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from model.network.layers import ChannelAttention, ResidualConvBlock
from model.network.lstm import BiLSTM, reversal_order, reverse
from model.network.pooling import AttentionPooling, MeanPooling

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def masks(lengths: list[int]) -> tuple[Tensor, Tensor]:
    num_frames = torch.tensor(lengths)
    valid = (torch.arange(max(lengths)) < num_frames[:, None])[:, None].float()
    return num_frames, valid


@given(LENGTHS, st.integers(1, 3))
def test_bilstm_equals_torchs_packed_bidirectional_lstm(lengths: list[int], num_layers: int) -> None:
    torch.manual_seed(0)
    ours = BiLSTM(3, 4, num_layers, dropout=0.0)
    reference = nn.LSTM(3, 4, num_layers, bidirectional=True)
    for layer in range(num_layers):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            for suffix, stack in (("", ours.forwards), ("_reverse", ours.backwards)):
                source = getattr(stack[layer], f"{name}_l0")
                getattr(reference, f"{name}_l{layer}{suffix}").data.copy_(source.data)
    num_frames, valid = masks(lengths)
    x = torch.randn(max(lengths), len(lengths), 3)
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    packed = nn.utils.rnn.pack_padded_sequence(theirs, num_frames, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(reference(packed)[0])
    y = ours(mine, num_frames) * valid[:, 0].T[:, :, None]
    assert torch.allclose(y, expected, atol=1e-6)
    weights = torch.randn_like(y)
    (y * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.allclose(mine.grad, theirs.grad, atol=1e-6)
    ours_grad = ours.backwards[0].weight_ih_l0.grad
    assert torch.allclose(ours_grad, reference.weight_ih_l0_reverse.grad, atol=1e-5)


@given(LENGTHS)
def test_reversal_is_within_each_clip_and_is_an_involution(lengths: list[int]) -> None:
    num_frames, _ = masks(lengths)
    x = torch.randn(max(lengths), len(lengths), 2)
    order = reversal_order(num_frames, max(lengths))
    turned = reverse(x, order)
    for clip, length in enumerate(lengths):
        assert torch.equal(turned[:length, clip], x[:length, clip].flip(0))
        assert torch.equal(turned[length:, clip], x[length:, clip])
    assert torch.equal(reverse(turned, order), x)


def test_gradients_pass_through_reversal() -> None:
    x = torch.randn(3, 2, 2, requires_grad=True)
    order = reversal_order(torch.tensor([3, 2]), 3)
    weights = torch.randn(3, 2, 2)
    (reverse(x, order) * weights).sum().backward()
    assert torch.equal(x.grad[:, 0], weights[:, 0].flip(0))
    assert torch.equal(x.grad[:, 1], weights[[1, 0, 2], 1])


def test_channel_attention_pools_valid_frames_only_and_adds_both_streams() -> None:
    torch.manual_seed(0)
    attention = ChannelAttention(3, num_heads=2)
    x = -1 - torch.rand(2, 3, 6)
    _, valid = masks([6, 2])
    x = x * valid
    expected = []
    for clip in (x[0], x[1, :, :2]):
        heads = [head(clip.mean(1)) + head(clip.max(1).values) for head in attention.heads]
        expected.append(torch.sigmoid(attention.combine(torch.cat(heads))))
    weights = attention.weights(x, valid)
    assert torch.allclose(weights, torch.stack(expected), atol=1e-6)
    assert torch.allclose(attention(x, valid), x * weights[:, :, None])


@pytest.mark.parametrize("depthwise", [True, False])
@pytest.mark.parametrize("out_channels", [3, 5])
def test_block_is_convolution_norm_gelu_plus_residual_and_leaves_padding_zero(
    depthwise: bool, out_channels: int
) -> None:
    torch.manual_seed(0)
    block = ResidualConvBlock(3, out_channels, 3, depthwise, dropout=0.0).eval()
    _, valid = masks([7, 4])
    x = torch.randn(2, 3, 7) * valid
    y = block(x, valid)
    assert torch.all(y.masked_select(valid == 0) == 0)
    alone = x[1:, :, :4]
    norm = block.norm
    expected = nn.functional.gelu(
        nn.functional.batch_norm(
            block.conv(alone), norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )
    ) + block.project(alone)
    assert torch.allclose(y[1:, :, :4], expected, atol=1e-6)


def test_depthwise_separable_convolution_has_fewer_weights() -> None:
    def count(depthwise: bool) -> int:
        return sum(p.numel() for p in ResidualConvBlock(32, 32, 5, depthwise, 0.0).conv.parameters())

    assert count(True) == 32 * 5 + 32 * 32
    assert count(False) == 32 * 32 * 5


def test_attention_pooling_weights_only_valid_frames() -> None:
    torch.manual_seed(0)
    pooling = AttentionPooling(4)
    _, valid = masks([5, 2])
    x = torch.randn(5, 2, 4)
    x[2:, 1] = 1e4
    weights = pooling.weights(x, valid)
    assert torch.allclose(weights.sum(0), torch.ones(2))
    assert torch.all(weights[2:, 1] == 0)
    expected = torch.softmax(pooling.score(x[:2, 1]).squeeze(1), 0) @ x[:2, 1]
    assert torch.allclose(pooling(x, valid)[1], expected, atol=1e-6)


def test_mean_pooling_is_the_mean_of_valid_frames() -> None:
    _, valid = masks([5, 2])
    x = torch.randn(5, 2, 4)
    x[2:, 1] = 1e4
    assert torch.allclose(
        MeanPooling()(x, valid), torch.stack([x[:, 0].mean(0), x[:2, 1].mean(0)]), atol=1e-6
    )
