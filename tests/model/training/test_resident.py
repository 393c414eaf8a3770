"""Batches from resident frames equal those padded from shards."""

from collections.abc import Callable

import numpy as np
import torch

from model.batches import Features, make_batch
from model.training.resident import ResidentFeatures, fits_on_gpu


def test_a_resident_batch_is_the_padded_one(toy_features: Callable[..., Features]) -> None:
    features = toy_features(9, seed=0)
    device = torch.device("cpu")
    resident = ResidentFeatures(features, device)
    for index in (np.array([4, 0, 6]), np.array([8]), np.arange(9)):
        ours, expected = resident.make_batch(index), make_batch(features, index)
        for name in ("frames", "num_frames"):
            assert torch.equal(getattr(ours, name)["mfcc"], getattr(expected, name)["mfcc"]), name
        for name in ("labels", "index"):
            assert torch.equal(getattr(ours, name), getattr(expected, name)), name
        assert torch.equal(ours.affect.isnan(), expected.affect.isnan())
    assert not fits_on_gpu(features, device)
