"""Toy networks and toy clips: small enough that a whole training run takes a second."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from model.affect import DIMENSIONS
from model.batches import Features
from model.network.tier1 import NetworkParams, SERTier1, build_network

TOY = NetworkParams(
    attention_heads=2,
    conv_channels=(6, 8),
    kernel_size=3,
    time_pooling=1,
    lstm_hidden=5,
    dropout=0.0,
    lstm_dropout=0.0,
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Toy tensors do not benefit from threads, and equal sums need an equal number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def toy_params() -> NetworkParams:
    return TOY


@pytest.fixture
def toy_network() -> SERTier1:
    """Four coefficients, three classes, batch norms that have seen data."""
    network = build_network(4, 3, TOY, seed=0)
    network.fit_batchnorm(
        torch.randn(8, 4, 20, generator=torch.Generator().manual_seed(1)), torch.full((8,), 20)
    )
    return network


def make_toy_features(num_clips: int, seed: int, num_classes: int = 3, n_mfcc: int = 4) -> Features:
    """Clips whose class k shows as a slow oscillation in coefficient k, in noise; 5 to 24 frames."""
    rng = np.random.default_rng(seed)
    clips, labels = [], []
    for index in range(num_clips):
        label = index % num_classes
        clip = 3 + 5 * rng.standard_normal((rng.integers(5, 25), n_mfcc))
        clip[:, label] += 10 * np.sign(np.sin(np.arange(len(clip))))
        clips.append(clip.astype(np.float32))
        labels.append(label)
    columns = {"clip_id": np.array([f"toy/{seed}/{i}" for i in range(num_clips)], dtype=object)}
    return Features({"mfcc": clips}, np.array(labels, dtype=np.int64), columns)


def with_affect(features: Features, share_known: float = 0.7) -> Features:
    """Dimensions that the means of three coefficients tell, some of them unknown."""
    rng = np.random.default_rng(0)
    known = rng.random((len(features), 3)) < share_known
    clips = [clip + 10 * rng.standard_normal(4).astype(np.float32) for clip in features.views["mfcc"]]
    cells = {
        name: np.array(
            [f"{clip[:, k].mean():.3f}" if known[i, k] else "" for i, clip in enumerate(clips)], dtype=object
        )
        for k, name in enumerate(DIMENSIONS)
    }
    return Features({"mfcc": clips}, features.labels, {**features.columns, **cells})


@pytest.fixture
def toy_features() -> Callable[..., Features]:
    return make_toy_features
