"""`train.init`: the trained network that training starts from, whether it fits this run, and its card.

It has to fit in all that its weights depend on: views, sizes, normalisation, encoder. Other settings and versions of
the steps that made its features move these a little, so that it may fit worse: the log says so, and training decides.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from featurize.errors import CheckpointError
from model.checkpoint import load_checkpoint
from model.network.tier1 import SERTier1
from model.training.hyperparameters import TrainParams
from model.training.initial import Misfit, misfits, take_over
from model.vote_shares import NO_AGREEMENT
from pipeline.protocol.card import DataCard, TrainingCard, named_speakers
from pipeline.protocol.data_card import read_training_card
from pipeline.protocol.origins import EncoderCard, InitCard
from pipeline.protocol.wording import differences, short
from pipeline.runs.best_checkpoint import choose_checkpoint

log = logging.getLogger(__name__)

NAMED = 5
"""Differences that a line names."""
OF_THE_ENCODER = ("layers", "frame_pooling")
"""Settings of an encoder that change what a frame is."""
TAKEN = ("corpus", "files_sha256", "labels", "folds", "fold", "denoiser", "tier0_sha256", "steps", "code")
"""Fields that `InitCard` takes over from the card of the checkpoint."""


def find_initial(init: str, checkpoints: Path) -> Path:
    """The checkpoint that `train.init` names: a file, or the best of a folder.

    Args:
        init: the parameter.
        checkpoints: folder that this run writes to.

    Raises:
        CheckpointError: there is none, or it is in the folder that this run writes to, which DVC empties before.
    """
    path = Path(init).expanduser()
    if path.resolve().is_relative_to(checkpoints.resolve()):
        raise CheckpointError(
            f"train.init: {init} is in {checkpoints}, which this run writes anew; copy the checkpoint to another folder"
        )
    try:
        return choose_checkpoint(path, checkpoints)
    except CheckpointError as error:
        raise CheckpointError(f"train.init: {error}") from error


def sha256_of(path: Path) -> str:
    """SHA-256 of a checkpoint's file.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(
            f"train.init: {path}: cannot be read ({error.strerror}); name a checkpoint"
        ) from error


def start_from(
    path: Path,
    network: SERTier1,
    params: TrainParams,
    here: DataCard,
    tier0: Mapping[str, Any],
    encoder: EncoderCard | None,
) -> InitCard:
    """Copy the weights of a checkpoint into a network, and return its card.

    Args:
        path: the checkpoint.
        network: of this run, with random weights.
        params: of training.
        here: the card of this run's features.
        tier0: the parameters of Tier 0 that they were made with.
        encoder: of this run's encodings.

    Raises:
        CheckpointError: the checkpoint cannot be read, or does not fit; the message lists in what, and what to set.
    """
    sha256 = sha256_of(path)
    trained, args = load_checkpoint(path)
    card = read_training_card(path, args)
    if len(card.labels) != trained.num_classes:
        raise CheckpointError(
            f"train.init: {path}: its card does not belong to its network; name another checkpoint"
        )
    if found := [*misfits(trained, network), *_encoder_misfits(card.encoder, encoder)]:
        which = _listed([f"{name} is {there} there and {now} here" for name, there, now in found])
        raise CheckpointError(
            f"train.init: {path} does not fit: {which}; set {'it' if len(found) == 1 else 'them'} as there, or name "
            "another checkpoint"
        )
    there, ours = (
        [*labels, *[NO_AGREEMENT] * has]
        for labels, has in ((card.labels, trained.no_agreement), (here.labels, network.no_agreement))
    )
    kept = take_over(trained, network, there, ours)
    new = [label for label in ours if label not in kept]
    log.info(
        "starting from %s, trained on %s; its head knows %s%s",
        *(path, card.corpus, ", ".join(kept) or "none of the labels"),
        f", and not {', '.join(new)}" if kept and new else "",
    )
    if moved := _moved(card, args.get("tier0") or {}, here, tier0, encoder):
        which = _listed([f"{name} was {short(there)}, now {short(now)}" for name, there, now in moved])
        log.warning("its features were made differently, and may fit its normalisation worse: %s", which)
    if card.corpus == here.corpus and not card.speakers["train"]:
        log.warning("its speakers are not known: whether it was trained on test speakers cannot be told")
    earlier = (card.init.trained_on, card.init.validated_on) if card.init else ([], [])
    of_train, of_val = (set(named_speakers(card, split)) for split in ("train", "val"))
    if card.refit:
        of_train |= of_val
    return InitCard(
        sha256=sha256,
        **{name: getattr(card, name) for name in TAKEN},
        trained_on=sorted(of_train.union(earlier[0])),
        validated_on=sorted(of_val.union(earlier[1])),
        labels_kept=kept,
        frozen=params.freeze,
    )


def _encoder_misfits(there: EncoderCard | None, here: EncoderCard | None) -> list[Misfit]:
    """Differences of two encoders that no weights survive; none unless both networks have one."""
    if there is None or here is None:
        return []
    found: list[Misfit] = []
    if there.sha256 != here.sha256:
        found.append(("encode.model", f"{there.name} {there.sha256[:8]}", f"{here.name} {here.sha256[:8]}"))
    pairs = [(name, str(getattr(there, name)), str(getattr(here, name))) for name in OF_THE_ENCODER]
    return [*found, *((f"encode.{name}", a, b) for name, a, b in pairs if a != b)]


def _moved(
    card: TrainingCard,
    tier0_there: Mapping[str, Any],
    here: DataCard,
    tier0: Mapping[str, Any],
    encoder: EncoderCard | None,
) -> list[tuple[str, Any, Any]]:
    """Settings and versions of the steps that made the features, where they differ."""
    found = differences(tier0_there, tier0)
    if card.denoiser == here.denoiser and card.denoiser_sha256 != here.denoiser_sha256:
        found.append(("denoiser (hash)", card.denoiser_sha256, here.denoiser_sha256))
    found += [(f"version of {step}", a, b) for step, a, b in differences(card.steps, here.steps)]
    if card.encoder and encoder:
        found += [(f"encode.{name}", a, b) for name, a, b in differences(card.encoder.step, encoder.step)]
    if "mfcc" not in card.views:
        found = [moved for moved in found if not moved[0].removeprefix("version of ").startswith("mfcc")]
    return found


def _listed(parts: Sequence[str]) -> str:
    more = f", and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
    return ", ".join(parts[:NAMED]) + more
