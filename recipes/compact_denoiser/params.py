"""The recipe's parameters: params.yaml as frozen pydantic models, which reject unknown keys."""

from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from featurize.errors import ParamsError

PARAMS = Path("params.yaml")
System = Literal["none", "compact", "noisereduce", "dns64"]


class Settings(BaseModel, frozen=True, extra="forbid"):
    """Base of every block."""


class SourceParams(Settings):
    """A folder of audio files, and how a path names the speaker or the noise class."""

    root: str
    group: str = Field(description="regular expression over the path below root; its first group is the name")
    licence: str = "unknown"  # printed on the model card


class DataParams(Settings):
    """The sources of clean speech and noise. The name of a source prefixes its groups: `ravdess/01`."""

    clean: dict[str, SourceParams]
    noise: dict[str, SourceParams]


class HeldOut(Settings):
    """Speakers and noise classes that are not used for training."""

    speakers: tuple[str, ...]
    noises: tuple[str, ...]


class SplitParams(Settings):
    """Speakers and noise classes of validation and test; all others are for training."""

    val: HeldOut
    test: HeldOut


class MixParams(Settings):
    """How noisy examples are made. Shares are probabilities per example."""

    segment_s: float = Field(2.0, gt=0)
    snr_db: tuple[float, float] = (-5.0, 20.0)  # uniform between the two, over active speech
    clean_share: float = Field(0.1, ge=0, le=1)  # without noise, so that clean speech is not changed
    speed_share: float = Field(0.5, ge=0, le=1)  # speech resampled to another speed and pitch
    reverb_share: float = Field(
        0.1, ge=0, le=1
    )  # speech in a simulated room; the target includes the reverberation
    second_noise_share: float = Field(0.4, ge=0, le=1)  # a second noise added to the first
    synthetic_noise_share: float = Field(0.2, ge=0, le=1)  # coloured, modulated noise instead of a recording
    equaliser_share: float = Field(0.5, ge=0, le=1)  # noise through a random smooth equaliser
    gain_db: float = Field(6.0, ge=0)  # random gain of the example, uniform within ± this


class NetworkParams(Settings):
    """Arguments of the package denoiser's Demucs; always causal, 16 kHz, one channel."""

    hidden: int = Field(320, gt=0)
    max_hidden: int = Field(320, gt=0)
    depth: int = Field(1, gt=0)
    kernel_size: int = Field(256, gt=0)
    stride: int = Field(128, gt=0)
    growth: float = Field(2.0, gt=0)
    resample: Literal[1, 2, 4] = 1
    filter_bank: bool = (
        True  # start as a filter bank; needs depth 1, kernel_size 2 * stride, hidden >= 2 * stride
    )

    @model_validator(mode="after")
    def _filter_bank_fits(self) -> Self:
        fits = self.depth == 1 and self.kernel_size == 2 * self.stride <= self.hidden and self.resample == 1
        if self.filter_bank and not fits:
            raise ValueError(
                "filter_bank needs depth 1, resample 1, kernel_size = 2 * stride and hidden >= 2 * stride"
            )
        return self


class LossParams(Settings):
    """Weights and parameters of the three terms of the loss."""

    l1: float = Field(1.0, ge=0)
    stft: float = Field(0.5, ge=0)
    sdr: float = Field(0.1, ge=0)  # per decibel
    sdr_floor_db: float = Field(30.0, gt=0)  # a higher SDR does not lower the loss
    n_ffts: tuple[int, ...] = (256, 512, 1024)


class TrainParams(Settings):
    """Optimiser, schedule, checkpoints and validation."""

    seed: int = 0
    batch_size: int = Field(16, gt=0)
    workers: int = Field(2, gt=0)  # threads between which a batch is divided
    lr: float = Field(1e-3, gt=0)  # peak; linear warm-up, then cosine to zero
    warmup_steps: int = Field(200, ge=0)
    max_steps: int = Field(20_000, gt=0)
    budget_min: float | None = None  # wall-clock time over all runs; the cosine ends here or at max_steps
    clip_norm: float = Field(5.0, gt=0)
    ema_decay: float = Field(0.999, ge=0, lt=1)
    checkpoint_min: float = Field(5.0, gt=0)  # minutes between validations with a checkpoint
    val_clips: int = Field(24, gt=0)
    precision: Literal["float32", "bfloat16"] = "bfloat16"  # of the network; the loss is float32


class EvaluateParams(Settings):
    """Evaluation on held-out speakers and noise classes."""

    seed: int = 1
    clips: int = Field(60, gt=0)
    snrs_db: tuple[float, ...] = (-5.0, 0.0, 5.0, 10.0, 20.0)
    systems: tuple[System, ...] = ("none", "compact", "noisereduce", "dns64")
    dns64_weights: str | None = None  # path of the published checkpoint; without it dns64 is not evaluated


class Recipe(Settings):
    """All of params.yaml."""

    data: DataParams
    split: SplitParams
    mix: MixParams = MixParams()
    network: NetworkParams = NetworkParams()
    loss: LossParams = LossParams()
    train: TrainParams = TrainParams()
    evaluate: EvaluateParams = EvaluateParams()


def load_recipe(path: Path = PARAMS) -> Recipe:
    """Read a params file. Raises ParamsError, which names the key."""
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text()))
    except FileNotFoundError:
        raise ParamsError(
            f"{path}: no such file; run from the project's root or the recipe's folder"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ParamsError(f"{path}: {key}: {first['msg']}") from None
