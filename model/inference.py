"""A network's logits for every clip of a split, in the split's own order."""

import torch
from torch import Tensor

from model.batches import Features, evaluation_batches
from model.network import SERTier1


@torch.no_grad()
def predict_logits(
    network: SERTier1, features: Features, batch_size: int = 64, device: str | torch.device = "cpu"
) -> Tensor:
    """Logits (num_clips, K) on the CPU, divided by the temperature; the network keeps its mode."""
    was_training = network.training
    network.eval()
    logits = torch.empty(len(features), network.num_classes)
    for batch in evaluation_batches(features, batch_size):
        there = batch.to(device)
        logits[batch.index] = network(there.mfcc, there.num_frames)["logits"].cpu()
    network.train(was_training)
    return logits
