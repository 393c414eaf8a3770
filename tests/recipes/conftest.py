"""A toy recipe: four synthetic speakers, four synthetic noise classes, a small network."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from featurize.audio import SAMPLE_RATE
from recipes.compact_denoiser.data import build_cache
from recipes.compact_denoiser.params import Recipe

SPEAKERS = ("a", "b", "c", "d")
NOISES = ("hum", "hiss", "rain", "wind")


def speechlike(rng: np.random.Generator, seconds: float = 1.2) -> np.ndarray:
    """Harmonics of a gliding pitch, modulated as syllables and surrounded by silence: (num_samples,) float32."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = (
        2 * np.pi * np.cumsum(rng.uniform(100, 220) * (1 + 0.1 * np.sin(2 * np.pi * 2 * time))) / SAMPLE_RATE
    )
    voice = sum(np.sin(k * phase) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time + rng.uniform(0, 6)), 0, None)
    return (0.1 * voice * syllables * (time > 0.2)).astype(np.float32)


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, dict[str, dict[str, str]]]:
    """The data block of a params file whose folders hold four speakers and four classes of noise."""
    rng = np.random.default_rng(0)
    for number, speaker in enumerate(SPEAKERS):
        for take in range(2):
            path = tmp_path / "clean" / f"Actor_{speaker}" / f"{take}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            sf.write(path, speechlike(rng, 1.0 + 0.1 * number), SAMPLE_RATE)
    for noise in NOISES:
        path = tmp_path / "noise" / noise / "1.wav"
        path.parent.mkdir(parents=True)
        sf.write(path, 0.05 * rng.standard_normal(SAMPLE_RATE), SAMPLE_RATE)
    clean = {"root": str(tmp_path / "clean"), "group": r"Actor_(\w+)/", "licence": "CC0"}
    noise = {"root": str(tmp_path / "noise"), "group": r"([^/]+)/[^/]+$", "licence": "CC0"}
    return {"clean": {"toy": clean}, "noise": {"room": noise}}


@pytest.fixture
def recipe(sources: dict[str, dict[str, dict[str, str]]]) -> Recipe:
    """Settings small enough for a second of training."""
    return Recipe.model_validate(
        {
            "data": sources,
            "split": {
                "val": {"speakers": ["toy/c"], "noises": ["room/rain"]},
                "test": {"speakers": ["toy/d"], "noises": ["room/wind"]},
            },
            "mix": {"segment_s": 0.5},
            "network": {"hidden": 64, "max_hidden": 64, "kernel_size": 64, "stride": 32},
            "loss": {"n_ffts": [128, 256]},
            "train": {
                "batch_size": 4,
                "warmup_steps": 2,
                "max_steps": 4,
                "checkpoint_min": 1e-9,
                "val_clips": 2,
                "precision": "float32",
            },
            "evaluate": {"clips": 2, "snrs_db": [0.0], "systems": ["none", "compact"]},
        }
    )


@pytest.fixture
def cache(recipe: Recipe, tmp_path: Path) -> Path:
    """The decoded toy data."""
    folder = tmp_path / "cache"
    build_cache(recipe.data.clean, folder, "speech")
    build_cache(recipe.data.noise, folder, "noise")
    return folder


@pytest.fixture
def make_speech() -> Callable[[int], np.ndarray]:
    """Seed → a second of synthetic speech."""
    return lambda seed: speechlike(np.random.default_rng(seed))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
