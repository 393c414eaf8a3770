"""The parameters of training and their ranges; params.yaml holds the defaults under `train`."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from model.network.stream import Freeze

Sampler = Literal["shuffle", "balanced", "corpora"]
"""What is drawn equally often."""
Targets = Literal["hard", "soft"]
AffectLoss = Literal["smooth-l1", "ccc"]


class SpecAugmentParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Park et al. 2019, "SpecAugment": stripes of each training clip are masked; 0 masks: off."""

    time_masks: int = Field(2, ge=0, le=100)
    """Masked stripes of frames in each clip."""
    time_width: float = Field(0.1, gt=0, le=1)
    """Largest width of a stripe of frames, as a share of the clip."""
    freq_masks: int = Field(2, ge=0, le=100)
    """Masked stripes of neighbouring coefficients in each clip."""
    freq_width: int = Field(8, gt=0)
    """Largest width of a stripe of coefficients."""


class TrainParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Parameters of training."""

    epochs: int = Field(54, gt=0)
    """At most; each draws as many times as there are clips, from clips and copies together."""
    validate_every: int = Field(9, gt=0)
    """Epochs between validations; with 8 copies, 9 epochs draw every clip and copy once."""
    batch_size: int = Field(16, gt=0)
    """Clips in a step, over all processes together."""
    sampler: Sampler = "shuffle"
    """shuffle: every clip equally often | balanced: every class | corpora: every corpus."""
    lr: float = Field(2e-3, gt=0, allow_inf_nan=False)
    """Peak learning rate of AdamW."""
    weight_decay: float = Field(1e-2, ge=0, allow_inf_nan=False)
    """Decoupled weight decay, on weight matrices only."""
    schedule: Literal["cosine", "plateau", "step"] = "cosine"
    """cosine | step | plateau, after the warm-up."""
    warmup_epochs: float = Field(18.0, ge=0, allow_inf_nan=False)
    """Epochs in which the learning rate rises linearly to its peak."""
    decay_epochs: int = Field(45, gt=0)
    """step: epochs between decays; plateau: epochs without a better validation UAR before one."""
    decay: float = Field(0.5, gt=0, lt=1)
    """step and plateau: factor by which a decay multiplies the learning rate."""
    ema: float = Field(0.999, ge=0, lt=1)
    """Decay of the moving average of the weights, validated and saved in their place; 0: off."""
    grad_clip: float = Field(1.0, ge=0, allow_inf_nan=False)
    """Largest norm of the gradient; 0: no limit."""
    targets: Targets = "hard"
    """hard: the label | soft: shares of the raters' votes; the label where a clip has none."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Share of the target spread over all classes."""
    class_weights: Literal["none", "balanced", "effective"] = "none"
    """none | balanced: the same for each class | effective: by the effective number of clips."""
    effective_beta: float = Field(0.99, ge=0, lt=1)
    """Beta of the effective number of clips: 0 is none, towards 1 is balanced."""
    mixup: float = Field(0.0, ge=0, allow_inf_nan=False)
    """Alpha of Beta(alpha, alpha), the distribution of the share of a mixed clip; 0: off."""
    spec_augment: SpecAugmentParams = Field(default_factory=SpecAugmentParams)
    """Masked stripes of frames and of coefficients."""
    affect_weight: float = Field(0.0, ge=0, allow_inf_nan=False)
    """Weight of valence, arousal and dominance in the loss, where clips have them; 0: off."""
    affect_loss: AffectLoss = "smooth-l1"
    """Loss of these three: smooth-l1 | ccc: 1 - concordance over the clips of a batch."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """fp32 | bf16 | fp16 on CUDA; the CPU always uses fp32."""
    patience: int = Field(90, ge=0)
    """Epochs without a better validation UAR before training stops; 0: never stop early."""
    refit: bool = False
    """Then train again, on train and val together, for as many epochs as were best."""
    init: str | None = Field(None, min_length=1)
    """Checkpoint to start from, or a folder of them (its best); null: random weights."""
    freeze: Freeze = "none"
    """none | blocks: up to the last block | streams: all but the head; these stay as in init."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of weights, order, dropout and augmentation."""

    @model_validator(mode="after")
    def _nothing_random_is_frozen(self) -> Self:
        if self.freeze != "none" and self.init is None:
            raise ValueError(f"freeze {self.freeze} needs a checkpoint to start from; set train.init")
        return self
