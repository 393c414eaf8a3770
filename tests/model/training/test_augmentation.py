"""SpecAugment masks within each clip; mixup mixes clips and targets with the same weights."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.training.augmentation import Augmentation, mask_stripes
from model.training.hyperparameters import SpecAugmentParams, TrainParams

OFF = SpecAugmentParams(time_masks=0, freq_masks=0)
LENGTHS = np.array([20, 7, 13])
INDEX = np.array([4, 9, 2])


def batch() -> tuple[Tensor, Tensor]:
    mfcc = torch.ones(3, 6, 20)
    for row, length in zip(mfcc, LENGTHS, strict=True):
        row[:, length:] = 0
    return mfcc, torch.from_numpy(LENGTHS)


def augmentation(
    epoch: int = 1, index: np.ndarray = INDEX, lengths: np.ndarray = LENGTHS, **params: Any
) -> Augmentation:
    return Augmentation(
        TrainParams(**{"spec_augment": OFF} | params),
        index,
        epoch,
        {"mfcc": (lengths, 6)},
        torch.device("cpu"),
    )


@given(st.integers(1, 60), st.floats(0.01, 1), st.integers(1, 9), st.integers(0, 99))
def test_stripes_are_no_wider_than_allowed_and_within_the_clip(
    num_frames: int, time_width: float, freq_width: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    keep = np.ones((6, 60), dtype=np.float32)
    mask_stripes(keep, num_frames, SpecAugmentParams(time_masks=1, time_width=time_width, freq_masks=0), rng)
    hidden = np.flatnonzero(keep[0] == 0)
    assert len(hidden) <= time_width * num_frames
    assert all(hidden < num_frames) and np.array_equal(hidden, np.arange(len(hidden)) + hidden[:1].sum())
    assert (keep == keep[0]).all()
    keep = np.ones((6, 60), dtype=np.float32)
    mask_stripes(keep, num_frames, SpecAugmentParams(time_masks=0, freq_masks=1, freq_width=freq_width), rng)
    assert (keep[:, 0] == 0).sum() <= freq_width
    assert (keep == keep[:, :1]).all()


def test_masks_differ_between_clips_and_epochs() -> None:
    masks = SpecAugmentParams(time_masks=2, time_width=0.5, freq_masks=2, freq_width=3)
    first, _ = augmentation(1, spec_augment=masks).views["mfcc"](*batch())
    again, _ = augmentation(1, spec_augment=masks).views["mfcc"](*batch())
    other, _ = augmentation(2, spec_augment=masks).views["mfcc"](*batch())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 0.2 < float(first.sum() / batch()[0].sum()) < 0.95


def test_a_clips_masks_do_not_depend_on_its_batch() -> None:
    masks = SpecAugmentParams(time_masks=2, time_width=0.5, freq_masks=1)
    mfcc, num_frames = batch()
    together, _ = augmentation(spec_augment=masks).views["mfcc"](mfcc, num_frames)
    alone = augmentation(index=INDEX[1:2], lengths=LENGTHS[1:2], spec_augment=masks)
    assert torch.equal(alone.views["mfcc"](mfcc[1:2, :, :7], num_frames[1:2])[0], together[1:2, :, :7])


def test_mixup_mixes_clips_and_targets_alike_and_lasts_as_long_as_the_longer() -> None:
    made = augmentation(mixup=0.5)
    assert made.mix is not None
    share, partner = made.mix.share, made.mix.partner
    assert torch.all((share >= 0) & (share <= 1)) and sorted(partner.tolist()) == [0, 1, 2]
    mfcc, num_frames = batch()
    mfcc *= torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    mixed, lengths = made.views["mfcc"](mfcc, num_frames)
    targets = made.mix.targets(torch.eye(3))
    for row in range(3):
        own, other = float(share[row]), int(partner[row])
        assert torch.allclose(mixed[row], own * mfcc[row] + (1 - own) * mfcc[other])
        assert lengths[row] == max(LENGTHS[row], LENGTHS[other])
        assert float(targets[row].sum()) == pytest.approx(1)
        expected = own + (1 - own) * (other == row)
        assert float(targets[row, row]) == pytest.approx(expected, rel=1e-6)
    unknown = made.mix.targets(torch.tensor([[1.0], [float("nan")], [2.0]]))
    touched = [row == 1 or int(partner[row]) == 1 for row in range(3)]
    assert torch.isnan(unknown[:, 0]).tolist() == touched


def test_disabled_augmentation_changes_nothing() -> None:
    made = augmentation()
    mfcc, num_frames = batch()
    assert made.views["mfcc"](mfcc, num_frames)[0] is mfcc
    assert made.mix is None
