"""The views of a clip outside the shards: its MFCC, and frames of the encoder that a network was trained on."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from featurize.encoders.encoder import EncodeParams, Encoder
from featurize.errors import CheckpointError, WeightsError
from model.views import FRAME_SAMPLES, View, speech_frames
from pipeline.protocol.card import TrainingCard
from pipeline.protocol.wording import differences, short


class ClipViews:
    """Makes the views that a network has.

    Args:
        views: of the network.
        encoder: None without the view "encoder".
    """

    def __init__(self, views: tuple[View, ...], encoder: Encoder | None = None) -> None:
        self.views, self.encoder = views, encoder

    def __call__(
        self, denoised: Tensor, segments: NDArray[np.int64], mfcc: Tensor
    ) -> dict[View, NDArray[np.float32]]:
        """Frames (num_frames, C) of each view, as shards hold them.

        Args:
            denoised: (num_samples,), rounded to 16 bits.
            segments: of speech, (num_segments, 2).
            mfcc: (n_mfcc, num_frames) of the speech.
        """
        frames: dict[View, NDArray[np.float32]] = {"mfcc": mfcc.T.numpy()}
        if self.encoder is not None:
            encoded = self.encoder(denoised)  # (num_frames, L, D)
            size = self.encoder.params.frame_pooling * FRAME_SAMPLES
            chosen = encoded[speech_frames(segments, len(encoded), size)]
            frames["encoder"] = chosen.reshape(len(chosen), -1).astype(np.float32)
        return {view: frames[view] for view in self.views}


def load_clip_views(
    checkpoint: Path,
    views: tuple[View, ...],
    card: TrainingCard,
    params: EncodeParams | None,
    model: str | None,
    device: str,
) -> ClipViews:
    """The views of a checkpoint's network, with the very encoder that it was trained on.

    Args:
        checkpoint: for messages.
        views: of its network.
        card: its protocol card.
        params: of the encode stage that it was trained with.
        model: folder or Hub name of the encoder, where it is not the one in `params`.
        device: where the encoder runs.

    Raises:
        CheckpointError: the checkpoint does not say which encoder.
        WeightsError: the encoder is not to be had, or is another one.
    """
    if "encoder" not in views:
        return ClipViews(views)
    if params is None or card.encoder is None:
        raise CheckpointError(f"{checkpoint}: does not say which encoder it was trained on; train again")
    if model:
        params = params.model_copy(update={"model": model})
    try:
        encoder = Encoder(params, device)
    except WeightsError as error:
        raise WeightsError(
            f"{checkpoint}: needs {card.encoder.name}: {error}; or name its folder with --encoder"
        ) from error
    if differing := differences(card.encoder.step, encoder.step):
        name, trained, here = differing[0]
        raise WeightsError(
            f"{checkpoint}: trained on frames of {card.encoder.name} ({name}: {short(trained)}), but those here are of "
            f"{encoder.files.name} ({short(here)}); give the right encoder with --encoder"
        )
    return ClipViews(views, encoder)
