"""Streamed clips equal the output of Demucs for each clip alone, including the last 50 ms."""

import pytest
import torch
from denoiser.demucs import Demucs
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from featurize.demucs.layout import can_stream
from featurize.demucs.streams import DemucsStreams

NETWORKS = {
    "as published, narrow": {"hidden": 4},
    "two times the rate": {"hidden": 6, "depth": 4, "resample": 2, "growth": 1.5},
    "at 16 kHz": {"hidden": 8, "depth": 3, "resample": 1, "max_hidden": 12},
    "stride 2": {"hidden": 8, "depth": 3, "kernel_size": 4, "stride": 2, "resample": 1},
    "one level": {"hidden": 24, "depth": 1, "kernel_size": 64, "stride": 32, "resample": 1},
    "not normalised": {"hidden": 4, "normalize": False},
}


def network(name: str) -> Demucs:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Demucs(**NETWORKS[name]).eval()


def noise(*lengths: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(sum(lengths))
    # Each clip at its own level, so that a normaliser shared between clips would show.
    return [torch.randn(n, generator=random) * 0.01 * (1 + i % 7) for i, n in enumerate(lengths)]


@torch.inference_mode()
def alone(module: Demucs, clip: Tensor) -> Tensor:
    return module(clip[None])[0, 0]


def largest_error(module: Demucs, clips: list[Tensor], **sizes: int) -> float:
    """Largest error of all clips, relative to the peak of each."""
    done = dict(DemucsStreams(module, **sizes)(enumerate(clips)))
    assert sorted(done) == list(range(len(clips)))
    return max(
        float((done[i] - expected).abs().max() / expected.abs().max())
        for i, expected in enumerate(alone(module, clip) for clip in clips)
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_every_clip_equals_the_clip_alone(name: str) -> None:
    clips = noise(2, 3, 255, 256, 257, 1_000, 5_000, 8_191, 12_000, 20_011)
    assert largest_error(network(name), clips, slots=3, frames=4) < 2e-6


@settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(2, 6_000), min_size=1, max_size=6),
    slots=st.integers(1, 4),
    frames=st.integers(1, 9),
)
def test_any_combination_of_lengths(lengths: list[int], slots: int, frames: int) -> None:
    assert largest_error(network("as published, narrow"), noise(*lengths), slots=slots, frames=frames) < 2e-6


def test_a_clip_is_bit_identical_with_any_neighbours() -> None:
    module = network("as published, narrow")
    clips = noise(7_000, 3_000, 9_000, 4_000, 5_000, 16_000)
    together = dict(DemucsStreams(module, slots=4)(enumerate(clips)))
    reversed_order = dict(DemucsStreams(module, slots=4)(reversed(list(enumerate(clips)))))
    without_some = dict(DemucsStreams(module, slots=4)([(5, clips[5]), (0, clips[0])]))
    for key, others in ((0, [reversed_order, without_some]), (5, [reversed_order, without_some])):
        for other in others:
            assert torch.equal(together[key], other[key])


@pytest.mark.parametrize("name", ["as published, narrow", "one level"])
def test_a_clip_is_bit_identical_in_any_number_of_slots(name: str) -> None:
    clips = noise(7_000, 3_000, 16_000)
    many, some, few = (dict(DemucsStreams(network(name), n)(enumerate(clips))) for n in (32, 5, 1))
    for key in many:
        assert torch.equal(many[key], some[key])
        assert torch.equal(many[key], few[key])


def test_one_streamer_can_be_used_again() -> None:
    module = network("as published, narrow")
    streams = DemucsStreams(module, slots=2)
    clips = noise(5_000, 700, 900)
    first = dict(streams(enumerate(clips)))
    second = dict(streams(enumerate(clips)))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_an_abandoned_run_does_not_change_the_next() -> None:
    module = network("as published, narrow")
    streams = DemucsStreams(module, slots=2)
    clips = noise(5_000, 700, 9_000)
    expected = dict(streams(enumerate(clips)))
    next(streams(enumerate(noise(600, 30_000))))
    assert all(torch.equal(expected[key], clip) for key, clip in streams(enumerate(clips)))


def test_clips_are_read_when_slots_become_free() -> None:
    taken: list[int] = []

    def clips() -> list[Tensor]:
        for key, clip in enumerate(noise(*[2_000] * 9)):
            taken.append(key)
            yield key, clip

    streams = DemucsStreams(network("as published, narrow"), slots=2)
    for done, _ in enumerate(streams(clips()), start=1):
        assert len(taken) <= done + 2


def test_networks_of_another_shape_are_refused() -> None:
    for other in ({"causal": False}, {"kernel_size": 6}, {"glu": False}):
        module = Demucs(hidden=2, depth=2, **other)
        assert not can_stream(module)
        with pytest.raises(ValueError, match="causal, gated"):
            DemucsStreams(module)
