"""A network's answers for every clip of a split, in the split's own order."""

import torch
from torch import Tensor

from model.batches import Features, evaluation_batches
from model.network.normalisation import normalise_speakers
from model.network.tier1 import SERTier1


@torch.no_grad()
def predict(
    network: SERTier1, features: Features, batch_size: int = 64, device: str | torch.device = "cpu"
) -> dict[str, Tensor]:
    """What the network's forward returns, for all clips and on the CPU; the network keeps its mode.

    Where the network's normalisation is by speaker, the speakers' statistics are taken from these features, as
    the shards hold them.
    """
    if network.params.normalisation == "speaker":
        features = normalise_speakers(features)
    was_training = network.training
    network.eval()
    answers = {"logits": torch.empty(len(features), network.num_classes)}
    if network.params.affect:
        answers["affect"] = torch.empty(len(features), 2)
    for batch in evaluation_batches(features, batch_size):
        there = batch.to(device)
        output = network(there.mfcc, there.num_frames)
        for name, answer in answers.items():
            answer[batch.index] = output[name].cpu()
    network.train(was_training)
    return answers


def predict_logits(
    network: SERTier1, features: Features, batch_size: int = 64, device: str | torch.device = "cpu"
) -> Tensor:
    """Logits (num_clips, K) on the CPU, divided by the temperature; see `predict`."""
    return predict(network, features, batch_size, device)["logits"]
