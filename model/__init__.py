"""Tier 1: the network, its training, its scores and its checkpoints. Of featurize it imports the foundations only.

    from model import NetworkParams, SERTier1, load_checkpoint

    network, args = load_checkpoint("checkpoints/best_uar_0.8500.pt")
    output = network(mfcc[None])  # mfcc (40, num_frames); "logits", "probs" and "confidence" of a batch of one

These names are loaded on first use, so `import model` itself does not load torch.

    network/         SERTier1 and its parts
    training/        fit(), and the parts of an epoch
    baseline/        functionals over time and a linear classifier, which the network has to be better than
    scoring/         metrics, calibration, confidence intervals, significance
    views            MFCC, and the frames of an encoder that are speech
    feature_splits   shards → the clips of one split
    batches          clips → padded batches
    moments          mean and deviation of many frames in one pass
    standardisation  statistics of a split's frames, and clips standardised by speaker or corpus
    logits           the outputs of a network for a whole split
    affect           valence, arousal and dominance, from the columns of shards
    vote_shares      shares of the raters' votes, from the columns of shards
    checkpoint       save and load: atomic, plain types only
    distributed      one network trained by several processes
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["NetworkParams", "SERTier1", "load_checkpoint"]

if TYPE_CHECKING:
    from model.checkpoint import load_checkpoint
    from model.network.tier1 import NetworkParams, SERTier1
else:
    _MODULES = {
        "NetworkParams": "model.network.tier1",
        "SERTier1": "model.network.tier1",
        "load_checkpoint": "model.checkpoint",
    }

    def __getattr__(name: str) -> object:
        """Load a public name on first use (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
