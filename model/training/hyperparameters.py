"""Every knob of training, with its range; params.yaml holds their defaults under `train`."""

from typing import Literal

from pydantic import BaseModel, Field


class SpecAugmentParams(BaseModel, frozen=True, extra="forbid"):
    """Park et al. 2019, "SpecAugment": stripes of each clip hidden while training; 0 masks: off."""

    # stripes of frames in each clip
    time_masks: int = Field(2, ge=0, le=100)
    # widest of them, as a share of the clip's own length
    time_width: float = Field(0.1, gt=0, le=1)
    # stripes of neighbouring coefficients in each clip
    freq_masks: int = Field(2, ge=0, le=100)
    # widest of them, in coefficients
    freq_width: int = Field(8, gt=0)


class TrainParams(BaseModel, frozen=True, extra="forbid"):
    """How to train."""

    # at most; one is as many draws as the train split has clips, augmented copies not counted
    epochs: int = Field(54, gt=0)
    # epochs from one validation to the next; the last epoch is always validated
    validate_every: int = Field(9, gt=0)
    # clips in a step, over all processes together
    batch_size: int = Field(16, gt=0)
    # how clips are drawn: every one equally often, or every class equally often
    sampler: Literal["shuffle", "balanced"] = "shuffle"
    # peak learning rate of AdamW
    lr: float = Field(2e-3, gt=0, allow_inf_nan=False)
    # decoupled weight decay, on weight matrices only
    weight_decay: float = Field(1e-2, ge=0, allow_inf_nan=False)
    # how the learning rate falls after the warm-up
    schedule: Literal["cosine", "plateau", "step"] = "cosine"
    # epochs in which the learning rate rises linearly to its peak
    warmup_epochs: float = Field(18.0, ge=0, allow_inf_nan=False)
    # schedule step: epochs between decays; plateau: epochs without a better validation UAR before one
    decay_epochs: int = Field(45, gt=0)
    # schedules step and plateau: what a decay multiplies the rate by
    decay: float = Field(0.5, gt=0, lt=1)
    # share of the moving average of the weights that each step keeps; the average is what is scored and kept; 0: off
    ema: float = Field(0.999, ge=0, lt=1)
    # largest norm of the gradient; 0: unlimited
    grad_clip: float = Field(1.0, ge=0, allow_inf_nan=False)
    # share of the target spread over all classes
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    # "balanced": each class counts the same; "effective": by its effective number of clips
    class_weights: Literal["none", "balanced", "effective"] = "none"
    # beta of the effective number: 0 is none, towards 1 is balanced
    effective_beta: float = Field(0.99, ge=0, lt=1)
    # Beta(alpha, alpha) of the share in which two clips are mixed; 0: no mixup
    mixup: float = Field(0.0, ge=0, allow_inf_nan=False)
    # stripes of time and of coefficients that are hidden
    spec_augment: SpecAugmentParams = Field(default_factory=SpecAugmentParams)
    # weight of valence and arousal in the loss, where the manifest has them; 0: not learnt
    va_weight: float = Field(0.0, ge=0, allow_inf_nan=False)
    # arithmetic on CUDA; the CPU always takes fp32
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    # epochs without a better validation UAR before training stops; 0: never stop early
    patience: int = Field(90, ge=0)
    # of weights, order, dropout and augmentation
    seed: int = Field(0, ge=0, lt=2**63)
