"""Starting from the weights of a trained network.

Its streams are taken over whole, with their normalisation and the statistics of their batch norms; of its head, the
rows of the labels that both networks have. The rows of other labels stay as they are, and so does what only one of the
networks has. The temperature is fitted anew after training.
"""

from collections.abc import Sequence

import torch

from model.network.stream import StreamParams
from model.network.tier1 import SERTier1
from model.views import View

FREE = {"dropout", "lstm_dropout"}
"""Parameters of a stream that may differ: without them, it computes the same."""
PREFIX: dict[View, str] = {"mfcc": "network.", "encoder": "network.encoder."}
"""Where the parameters of a view's stream stand in params.yaml."""

Misfit = tuple[str, str, str]
"""Name of a parameter, its value in the trained network, and its value here."""


def misfits(trained: SERTier1, network: SERTier1) -> list[Misfit]:
    """The parameters that keep a network from starting from the trained one; those of the encoder are left out."""
    there, here = trained.params, network.params
    found: list[Misfit] = [
        (f"network.{name}", _text(getattr(there, name)), _text(getattr(here, name)))
        for name in ("views", "normalisation")
    ]
    for view in here.views if here.views == there.views else ():
        ours, theirs = here.stream(view), there.stream(view)
        names = [name for name in StreamParams.model_fields if name not in FREE]
        found += [(PREFIX[view] + n, _text(getattr(theirs, n)), _text(getattr(ours, n))) for n in names]
        if view == "mfcc":
            found.append(("mfcc.n_mfcc", str(trained.n_mfcc), str(network.n_mfcc)))
    return [misfit for misfit in found if misfit[1] != misfit[2]]


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


@torch.no_grad()
def take_over(
    trained: SERTier1, network: SERTier1, trained_labels: Sequence[str], labels: Sequence[str]
) -> list[str]:
    """Copy the weights of a trained network into another one, in which nothing is a misfit.

    Args:
        trained: the one to start from.
        network: the other one.
        trained_labels: of the first, in class order.
        labels: of the second, likewise.

    Returns:
        The labels whose rows of the head were copied, in class order.
    """
    network.streams.load_state_dict(trained.streams.state_dict())
    shared = [label for label in labels if label in trained_labels]
    for label in shared:
        ours, theirs = labels.index(label), trained_labels.index(label)
        network.head.weight[ours] = trained.head.weight[theirs]
        network.head.bias[ours] = trained.head.bias[theirs]
    if network.params.affect and trained.params.affect:
        network.affect_head.load_state_dict(trained.affect_head.state_dict())
    return shared
