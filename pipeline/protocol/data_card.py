"""The card of feature shards, and the check that a checkpoint was trained for them.

A checkpoint is scored only on the data that it was trained for: on other data, its training speakers could be among
the test speakers.
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
from pipeline.extraction.tasks import MAKERS
from pipeline.protocol.card import Card, DataCard, Scope, TrainingCard, digest, named_speakers
from pipeline.protocol.manifest_file import SHARD_COLUMNS
from pipeline.protocol.manifest_summary import ManifestSummary
from pipeline.protocol.origins import EncoderCard
from pipeline.protocol.split_params import SPLITS, Split
from pipeline.protocol.typed_json import validate
from pipeline.protocol.wording import CAPTIONS, differences, short, word_differences

Columns = dict[str, NDArray[Any]]

STAMP_OF = {"denoise": "denoised_by", "featurize": "featurized_by", "encode": "encoded_by"}
"""Stage → column with the digest of the `Maker` of each row."""
STEPS = ("load", "denoise", "vad", "mfcc")
"""The steps of Tier 0; the shards' attributes "load_step", ... hold settings and version of each."""


def data_card(
    summary: ManifestSummary, paths: Sequence[Path], made: Mapping[str, Any], encodings: Sequence[Path] = ()
) -> DataCard:
    """The manifest's card with the fields that the features add.

    Args:
        summary: manifest.json.
        paths: the feature shards.
        made: from `shared_provenance`.
        encodings: the encoding shards, where they are used.

    Raises:
        ShardError: the features were made from another manifest, or by an older version.
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
        denoiser_heard_test_speakers=training_overlap(denoiser, tested),
        tier0_sha256=digest(made["tier0"]),
        steps=made["steps"],
        made_by=_makers([*paths, *encodings]),
    )


def training_overlap(denoiser: Mapping[str, Any], speakers: Iterable[tuple[str, str]]) -> list[str]:
    """Those of the speakers (corpus, name) that a denoiser's weights were trained on, as corpus/name.

    The names of speakers of several corpora start with that of their corpus already.
    """
    named = {name if name.startswith(f"{corpus}/") else f"{corpus}/{name}" for corpus, name in speakers}
    return sorted(named & set(denoiser.get("trained_on", [])))


def shared_provenance(paths: Sequence[Path]) -> dict[str, Any]:
    """The settings of Tier 0, the denoiser and the version of each step, which all feature shards must share.

    Raises:
        ShardError: they differ between shards.
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
    """The protocol card of a checkpoint.

    Args:
        path: the checkpoint, for the message.
        args: its `args`.

    Raises:
        CheckpointError: it has no card, or one of another version, so a leak cannot be ruled out.
    """
    card = args.get("protocol") or {}
    return validate(TrainingCard, card, f"{path}: protocol card", "train again", CheckpointError)


def check_checkpoint(
    path: Path, args: Mapping[str, Any], data: DataCard, made: Mapping[str, Any]
) -> TrainingCard:
    """Reject a checkpoint that was not trained for these features.

    Args:
        path: the checkpoint, for the message.
        args: its `args`.
        data: from `data_card`.
        made: from `shared_provenance`.

    Returns:
        Its card.

    Raises:
        CheckpointError: its classes, recordings, splits or Tier 0 differ, or it has no card.
    """
    if args.get("labels") != data.labels:
        raise CheckpointError(
            f"{path}: trained on labels {args.get('labels')}, the manifest has {data.labels}; train again"
        )
    card = read_training_card(path, args)
    require_match(path, card, data, "data", _tier0_differences(args.get("tier0") or {}, made["tier0"]))
    return card


def check_encoder(path: Path, card: TrainingCard, here: EncoderCard | None) -> None:
    """Reject a checkpoint whose encoder is not the one of the encoding shards.

    Raises:
        CheckpointError: they differ; the first difference is named.
    """
    trained = card.encoder
    if trained is None or here is None or (trained.step, trained.size) == (here.step, here.size):
        return
    differing = differences(trained.step, here.step) or [("size", trained.size, here.size)]
    field, then, now = differing[0]
    raise CheckpointError(
        f"{path}: trained on frames of {trained.name} ({field}: {short(then)}, here {short(now)}); run `ser encode` "
        "with the params that it was trained with, or train again"
    )


def require_match(
    path: Path,
    card: TrainingCard,
    here: Card,
    scope: Scope,
    tier0: Sequence[tuple[str, str, str]] = (),
) -> None:
    """Reject a checkpoint whose card does not match that of the data.

    Args:
        path: the checkpoint, for the message.
        card: the checkpoint's card.
        here: the data's card.
        scope: which fields must be the same.
        tier0: differing parameters of Tier 0, for the message if only the hash of Tier 0 differs.

    Raises:
        CheckpointError: the cards differ; names the first difference and the test speakers it was trained on.
    """
    differing = word_differences(card, here, scope)
    if not differing:
        return
    if tier0 and all(name == CAPTIONS["tier0_sha256"] for name, _, _ in differing):
        differing = list(tier0)
    field, trained, present = differing[0]
    raise CheckpointError(
        f"{path}: trained for other data ({field}: {trained}, here {present}){_leak(card, here)}; "
        "go back to the params it was trained with, or train again"
    )


def _tier0_differences(trained: Mapping[str, Any], here: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(f"Tier 0, {name}", short(a), short(b)) for name, a, b in differences(trained, here)]


def _leak(card: Card, here: Card) -> str:
    """A warning in brackets with the test speakers in the checkpoint's train or val split; empty if there are none."""
    known = {*named_speakers(card, "train"), *named_speakers(card, "val")}
    leaked = sorted(known & set(named_speakers(here, "test")))
    return f" (a leak: it was trained or validated on test speakers {', '.join(leaked)})" if leaked else ""


def _read_columns(paths: Sequence[Path]) -> Columns:
    """The manifest's columns of all original clips, without augmented copies."""
    shards = [Shard(path, verify=False).columns for path in paths]
    for path, each in zip(paths, shards, strict=True):
        if missing := [name for name in SHARD_COLUMNS if name not in each]:
            raise ShardError(
                f"{path}: made by an older version, without the column {', '.join(missing)}",
                "run denoise and featurize again, which computes nothing anew",
            )
    columns = {name: np.concatenate([each[name] for each in shards]) for name in SHARD_COLUMNS}
    if not all("augmentation" in each for each in shards):
        return columns
    original = np.concatenate([each["augmentation"] for each in shards]) == ""
    return {name: values[original] for name, values in columns.items()}


def _check_speakers(columns: Columns, speakers: Mapping[Split, list[str]], folder: Path) -> None:
    """Check that the features' speakers of each split are in the manifest; some may be missing, if rejected."""
    for split in SPLITS:
        unknown = set(columns["speaker"][columns["split"] == split]) - {"", *speakers[split]}
        if unknown:
            raise ShardError(
                f"{folder}: speaker {min(unknown)} is in split {split}, but not in manifest.json's; "
                "run denoise and featurize again"
            )


def _makers(paths: Sequence[Path]) -> dict[str, list[Any]]:
    """The makers of the rows, by stage, as plain types."""
    found: dict[str, dict[str, Any]] = {stage: {} for stage in STAMP_OF}
    for path in paths:
        shard = Shard(path, verify=False)
        makers = json.loads(shard.attributes.get(MAKERS, "{}"))
        for stage, stamp in STAMP_OF.items():
            used = set(shard.columns[stamp].tolist()) if stamp in shard.columns else set()
            found[stage] |= {name: maker for name, maker in makers.items() if name in used}
    return {stage: [makers[name] for name in sorted(makers)] for stage, makers in found.items() if makers}


def _hash_clips(columns: Columns) -> str:
    """Hash of the clips with their audio, labels and splits."""
    rows = zip(*(columns[name].tolist() for name in ("clip_id", "sha256", "label", "split")), strict=True)
    return hashlib.sha256("".join(sorted("\t".join(row) + "\n" for row in rows)).encode()).hexdigest()
