"""What the feature shards say of themselves, as a card; and which checkpoint fits them.

A checkpoint is scored on the data that it was trained for or not at all: it may have been trained on the very speakers
that it would be tested on.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurize.errors import CheckpointError, ShardError
from featurize.shards import Shard
from pipeline.extraction.tasks import MAKERS, STAMPS
from pipeline.protocol.card import Card, DataCard, Likeness, TrainingCard, digest
from pipeline.protocol.manifest_summary import ManifestSummary
from pipeline.protocol.splits import SPLITS, Split
from pipeline.protocol.typed_json import validate
from pipeline.protocol.wording import CAPTIONS, differences, short, word_differences

Columns = dict[str, NDArray[Any]]

STAMP_OF = dict(zip(("denoise", "featurize"), STAMPS, strict=True))
"""Column that says what made a row, by stage."""
STEPS = ("load", "denoise", "vad", "mfcc")
"""That make numbers; the shards' attributes "load_step", ... hold settings and version of each."""
NEEDED = ("clip_id", "sha256", "corpus", "speaker", "label", "split")
"""Columns of the features that the card is made from."""


def data_card(summary: ManifestSummary, paths: Sequence[Path], made: Mapping[str, Any]) -> DataCard:
    """The manifest's card, and what the features add to it.

    Args:
        summary: manifest.json.
        paths: the feature shards.
        made: from `shared_provenance`.

    Raises:
        ShardError: the features were made from another manifest.
    """
    protocol, denoiser = summary.protocol, made["denoiser"]
    columns = _read_columns(paths)
    _check_speakers(columns, protocol.speakers, paths[0].parent)
    test = columns["split"] == "test"
    tested = zip(columns["corpus"][test], columns["speaker"][test], strict=True)
    return DataCard(
        **dict(protocol),
        untested_labels=[name for name in summary.labels if name not in set(columns["label"][test])],
        clips_sha256=_hash_clips(columns),
        denoiser=denoiser["name"],
        denoiser_sha256=denoiser["sha256"],
        denoiser_heard_test_speakers=heard_by(denoiser, tested),
        tier0_sha256=digest(made["tier0"]),
        steps=made["steps"],
        made_by=_makers(paths),
    )


def heard_by(denoiser: Mapping[str, Any], speakers: Iterable[tuple[str, str]]) -> list[str]:
    """Those of the speakers (corpus, name) that a denoiser's weights were trained on, as corpus/name."""
    return sorted({f"{corpus}/{name}" for corpus, name in speakers} & set(denoiser.get("trained_on", [])))


def shared_provenance(paths: Sequence[Path]) -> dict[str, Any]:
    """What all the feature shards were made with: settings of Tier 0, denoiser, version of each step.

    Raises:
        ShardError: they differ, so the shards do not belong together.
    """
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path in paths:
        attributes = Shard(path, verify=False).attributes
        made = {name: json.loads(attributes[name]) for name in ("tier0", "denoiser")}
        steps = {name: json.loads(attributes.get(f"{name}_step", "{}")) for name in STEPS}
        made["steps"] = {name: step["version"] for name, step in steps.items() if "version" in step}
        found[digest(made)] = path, made
    if len(found) > 1:
        first, second = [path for path, _ in found.values()][:2]
        raise ShardError(f"{first} and {second} were made with different settings; run `ser featurize` again")
    ((_, made),) = found.values()
    return made


def read_training_card(path: Path, args: Mapping[str, Any]) -> TrainingCard:
    """The card that a checkpoint carries.

    Args:
        path: the checkpoint, for the message.
        args: its `args`.

    Raises:
        CheckpointError: it has none, or one of another version, so that a leak cannot be ruled out.
    """
    card = args.get("protocol") or {}
    return validate(TrainingCard, card, f"{path}: protocol card", "train again", CheckpointError)


def check_checkpoint(
    path: Path, args: Mapping[str, Any], data: DataCard, made: Mapping[str, Any]
) -> TrainingCard:
    """Refuse a checkpoint that was not trained for these features.

    Args:
        path: the checkpoint, for the message.
        args: its `args`.
        data: from `data_card`.
        made: from `shared_provenance`.

    Returns:
        Its card.

    Raises:
        CheckpointError: other classes, recordings, splits or Tier 0, or no card at all; one line says which.
    """
    if args.get("labels") != data.labels:
        raise CheckpointError(
            f"{path}: trained on labels {args.get('labels')}, the manifest has {data.labels}; train again"
        )
    card = read_training_card(path, args)
    require_like(path, card, data, "data", _tier0_differences(args.get("tier0") or {}, made["tier0"]))
    return card


def require_like(
    path: Path,
    card: TrainingCard,
    here: Card,
    likeness: Likeness,
    tier0: Sequence[tuple[str, str, str]] = (),
) -> None:
    """Refuse a checkpoint whose card is unlike the one of the data at hand.

    Args:
        path: the checkpoint, for the message.
        card: the checkpoint's.
        here: the data's.
        likeness: what they have to agree on.
        tier0: differing parameters of Tier 0, named where nothing but its hash differs.

    Raises:
        CheckpointError: one line with the first difference, and with the test speakers that it was trained on.
    """
    unlike = word_differences(card, here, likeness)
    if not unlike:
        return
    if tier0 and all(name == CAPTIONS["tier0_sha256"] for name, _, _ in unlike):
        unlike = list(tier0)
    what, there, mine = unlike[0]
    raise CheckpointError(
        f"{path}: trained for other data ({what}: {there}, here {mine}){_leak(card, here)}; "
        "go back to the params it was trained with, or train again"
    )


def _tier0_differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(f"Tier 0, {name}", short(a), short(b)) for name, a, b in differences(there, here)]


def _leak(card: Card, here: Card) -> str:
    """Test speakers that the checkpoint was trained or chosen on, in brackets."""
    if card.corpus != here.corpus:
        return ""
    known = {*card.speakers["train"], *card.speakers["val"]}
    heard = sorted(known & set(here.speakers["test"]))
    return f" (a leak: it has heard test speakers {', '.join(heard)})" if heard else ""


def _read_columns(paths: Sequence[Path]) -> Columns:
    """The columns of all original clips; augmented copies are no clips of their own."""
    shards = [Shard(path, verify=False).columns for path in paths]
    columns = {name: np.concatenate([each[name] for each in shards]) for name in NEEDED}
    if not all("augmentation" in each for each in shards):
        return columns
    original = np.concatenate([each["augmentation"] for each in shards]) == ""
    return {name: values[original] for name, values in columns.items()}


def _check_speakers(columns: Columns, speakers: Mapping[Split, list[str]], folder: Path) -> None:
    """Features may lack a speaker whose clips were all rejected; one of another split is another manifest's."""
    for split in SPLITS:
        strange = set(columns["speaker"][columns["split"] == split]) - {"", *speakers[split]}
        if strange:
            raise ShardError(
                f"{folder}: speaker {min(strange)} is in split {split}, but not in manifest.json's; "
                "run denoise and featurize again"
            )


def _makers(paths: Sequence[Path]) -> dict[str, list[Any]]:
    """What made the rows, by stage, as plain types."""
    found: dict[str, dict[str, Any]] = {stage: {} for stage in STAMP_OF}
    for path in paths:
        shard = Shard(path, verify=False)
        makers = json.loads(shard.attributes.get(MAKERS, "{}"))
        for stage, stamp in STAMP_OF.items():
            used = set(shard.columns[stamp].tolist()) if stamp in shard.columns else set()
            found[stage] |= {name: maker for name, maker in makers.items() if name in used}
    return {stage: [makers[name] for name in sorted(makers)] for stage, makers in found.items() if makers}


def _hash_clips(columns: Columns) -> str:
    """One hash over what each clip is and which split it is in."""
    rows = zip(*(columns[name].tolist() for name in ("clip_id", "sha256", "label", "split")), strict=True)
    return hashlib.sha256("".join(sorted("\t".join(row) + "\n" for row in rows)).encode()).hexdigest()
