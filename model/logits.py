"""The outputs of a network for all clips of a split, in the order of the split."""

import torch
from torch import Tensor

from model.affect import DIMENSIONS
from model.batches import Features, evaluation_batches
from model.network.normalisation import is_group
from model.network.tier1 import SERTier1
from model.standardisation import measure, standardise_groups


@torch.no_grad()
def predict(
    network: SERTier1, features: Features, batch_size: int = 64, device: str | torch.device = "cpu"
) -> dict[str, Tensor]:
    """Run the network in evaluation mode on all clips; "logits" and, with the second head, "affect", on the CPU.

    With normalisation "speaker" or "corpus", the statistics of each are those of these features, unless they are
    standardised already. The network's mode is restored afterwards.
    """
    by = network.params.normalisation
    if is_group(by) and not features.standardised:
        features = standardise_groups(features, measure(features, network), by)
    was_training = network.training
    network.eval()
    outputs = {"logits": torch.empty(len(features), network.num_classes)}
    if network.params.affect:
        outputs["affect"] = torch.empty(len(features), len(DIMENSIONS))
    for batch in evaluation_batches(features, batch_size):
        on_device = batch.to(device)
        output = network(on_device.frames, on_device.num_frames)
        for name, values in outputs.items():
            values[batch.index] = output[name].cpu()
    network.train(was_training)
    return outputs


def predict_logits(
    network: SERTier1, features: Features, batch_size: int = 64, device: str | torch.device = "cpu"
) -> Tensor:
    """Logits (num_clips, K) on the CPU, divided by the temperature; see `predict`."""
    return predict(network, features, batch_size, device)["logits"]
