"""The protocol card: on which recordings, how split and made with what a number was found.

It starts in manifest.json, grows by Tier 0 with the features and by seed, code and device in training, is kept in the
checkpoint and stamped on everything that evaluate writes. `ser evaluate` refuses a checkpoint whose card does not
fit the data: it may have been trained on the very speakers that it would be tested on.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurize.errors import CheckpointError, ShardError
from featurize.shards import Shard
from pipeline.protocol.provenance import code_version, device_name, versions

Card = dict[str, Any]
Columns = dict[str, NDArray[Any]]

SPLITS = ("train", "val", "test")
NEEDED = ("clip_id", "sha256", "corpus", "speaker", "label", "split")
"""Columns of the features that the card is made from."""

# What makes two runs comparable, and how a person calls it. Denoiser and Tier 0 are for a checkpoint's own data only.
TASK = {
    "corpus": "corpus",
    "files_sha256": "recordings (hash)",
    "label_set": "label set",
    "labels": "labels",
    "split": "split by",
    "folds": "folds",
    "fold": "fold",
    "speakers": "speakers of each split",
}
OWN = {
    "clips_sha256": "clips of each split (hash)",
    "denoiser": "denoiser",
    "denoiser_sha256": "denoiser (hash)",
    "tier0_sha256": "Tier 0 (hash)",
}


def data_card(summary: Mapping[str, Any], paths: Sequence[Path], made: Mapping[str, Any]) -> Card:
    """What manifest and features say: recordings, classes, split, Tier 0.

    Args:
        summary: manifest.json.
        paths: the feature shards.
        made: from `shared_provenance`.

    Raises:
        ShardError: the features were made from another manifest.
    """
    protocol, denoiser = summary["protocol"], made["denoiser"]
    columns = _read_columns(paths)
    _check_speakers(columns, protocol["speakers"], paths[0].parent)
    test = columns["split"] == "test"
    tested = {
        f"{corpus}/{speaker}"
        for corpus, speaker in zip(columns["corpus"][test], columns["speaker"][test], strict=True)
    }
    return {
        **protocol,
        "untested_labels": [name for name in summary["labels"] if name not in set(columns["label"][test])],
        "clips_sha256": _hash_clips(columns),
        "denoiser": denoiser["name"],
        "denoiser_sha256": denoiser["sha256"],
        "denoiser_heard_test_speakers": sorted(tested & set(denoiser.get("trained_on", []))),
        "tier0_sha256": fingerprint(made["tier0"]),
    }


def training_card(data: Card, seed: int, normalisation: str, device: str) -> Card:
    """The card that a checkpoint carries: the data's, and what made the weights."""
    return {**data, "normalisation": normalisation, "seed": seed, **_here(device)}


def scoring_card(card: Card, device: str) -> Card:
    """The card that scores carry: the checkpoint's, and what was other than in training when it was scored."""
    return {**card, "scored_with": {k: v for k, v in _here(device).items() if v != card.get(k)}}


def _here(device: str) -> Card:
    return {"code": code_version(), "versions": versions(), "device": device_name(device)}


def shared_provenance(paths: Sequence[Path]) -> dict[str, Any]:
    """Tier 0 settings and denoiser that all the feature shards were made with.

    Raises:
        ShardError: they differ, so the shards do not belong together.
    """
    found = {}
    for path in paths:
        attributes = Shard(path, verify=False).attributes
        found[attributes["tier0"], attributes["denoiser"]] = path
    if len(found) > 1:
        one, other = list(found.values())[:2]
        raise ShardError(
            f"{one} and {other} were made with different Tier 0 settings; run `ser featurize` again"
        )
    tier0, denoiser = next(iter(found))
    return {"tier0": json.loads(tier0), "denoiser": json.loads(denoiser)}


def check_card(path: Path, args: Mapping[str, Any], data: Card, made: Mapping[str, Any]) -> None:
    """Refuse a checkpoint that was not trained for this data.

    Args:
        path: the checkpoint, for the message.
        args: its `args`.
        data: from `data_card`.
        made: from `shared_provenance`.

    Raises:
        CheckpointError: other classes, recordings, splits or Tier 0, or no card at all; one line says which.
    """
    if args.get("labels") != data["labels"]:
        raise CheckpointError(
            f"{path}: trained on labels {args.get('labels')}, the manifest has {data['labels']}; train again"
        )
    card: Card = args.get("protocol") or {}
    if missing := [key for key in (*TASK, *OWN) if key not in card]:
        raise CheckpointError(
            f"{path}: its protocol card does not tell `{missing[0]}`, so a leak cannot be ruled out; train again"
        )
    unlike = unlike_cards(card, data, {**TASK, **OWN})
    if not unlike:
        return
    if all(name == OWN["tier0_sha256"] for name, _, _ in unlike):
        unlike = [
            (f"Tier 0, {name}", str(there), str(here))
            for name, there, here in differences(args.get("tier0") or {}, made["tier0"])
        ]
    what, there, here = unlike[0]
    raise CheckpointError(
        f"{path}: trained for other data ({what}: {there}, here {here}){_leak(card, data)}; "
        "go back to the params it was trained with, or train again"
    )


def unlike_cards(one: Card, other: Card, keys: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What two cards disagree on among `keys`: how a person calls it, and both values in a few words."""
    return [
        (name, _short(one.get(key)), _short(other.get(key)))
        for key, name in keys.items()
        if one.get(key) != other.get(key)
    ]


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Dotted name and both values of everything that differs between two nested mappings; None where it is absent."""
    found = []
    for key in dict.fromkeys((*one, *other)):
        a, b = one.get(key), other.get(key)
        if isinstance(a, Mapping) or isinstance(b, Mapping):
            inner = differences(a if isinstance(a, Mapping) else {}, b if isinstance(b, Mapping) else {})
            found += [(f"{key}.{name}", x, y) for name, x, y in inner]
        elif a != b:
            found.append((key, a, b))
    return found


def fingerprint(content: Any) -> str:
    """SHA-256 of plain types, in hex; the order of keys does not count."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def describe_task(card: Card, folds: str = "") -> str:
    """In one line, what a score is about: recordings, classes, split; `folds` stands in for the card's one."""
    synthetic = " (synthetic)" if card["synthetic"] else ""
    untested = len(card["untested_labels"])
    classes = f"{len(card['labels'])} classes{f' ({untested} WITHOUT TEST CLIPS)' if untested else ''}"
    folds = folds or (f"fold {card['fold']} of {card['folds']}" if card["folds"] else "")
    independent = "speaker-independent" if card["speaker_independent"] else "SPEAKER-DEPENDENT"
    return ", ".join(
        [
            f"{card['corpus']}{synthetic} {card['files_sha256'][:8]}",
            classes,
            independent,
            *filter(None, [folds]),
        ]
    )


def describe_making(card: Card) -> str:
    """In one line, what may have seen more of the test speakers than a single clip: normalisation and denoiser."""
    heard = len(card["denoiser_heard_test_speakers"])
    overlap = f" (HAS HEARD {heard} OF THE TEST SPEAKERS)" if heard else ""
    transductive = "TRANSDUCTIVE (normalised by speaker), " if "SPEAKER" in card["normalisation"] else ""
    return f"{transductive}denoiser {card['denoiser']}{overlap}"


def describe(card: Card) -> str:
    """A card in one line: the task, and what was made of it."""
    return (
        f"{describe_task(card)}, {describe_making(card)}, Tier 0 {card['tier0_sha256'][:8]}, "
        f"seeds {card['split_seed']} (split) and {card['seed']} (training), ser {card['code']}"
    )


def _read_columns(paths: Sequence[Path]) -> Columns:
    """The columns of all original clips; augmented copies are no clips of their own."""
    shards = [Shard(path, verify=False).columns for path in paths]
    columns = {name: np.concatenate([each[name] for each in shards]) for name in NEEDED}
    if not all("augmentation" in each for each in shards):
        return columns
    original = np.concatenate([each["augmentation"] for each in shards]) == ""
    return {name: values[original] for name, values in columns.items()}


def _check_speakers(columns: Columns, speakers: Mapping[str, list[str]], folder: Path) -> None:
    """Features may lack a speaker whose clips were all rejected; one of another split is another manifest's."""
    for split in SPLITS:
        strange = set(columns["speaker"][columns["split"] == split]) - {"", *speakers[split]}
        if strange:
            raise ShardError(
                f"{folder}: speaker {min(strange)} is in split {split}, but not in manifest.json's; "
                "run denoise and featurize again"
            )


def _hash_clips(columns: Columns) -> str:
    """One hash over what each clip is and which split it is in."""
    rows = zip(*(columns[name].tolist() for name in ("clip_id", "sha256", "label", "split")), strict=True)
    return hashlib.sha256("".join(sorted("\t".join(row) + "\n" for row in rows)).encode()).hexdigest()


def _leak(card: Card, data: Card) -> str:
    """How many of the speakers to be tested on the checkpoint was trained or chosen on, in brackets."""
    if card["corpus"] != data["corpus"]:
        return ""
    known = {*card["speakers"]["train"], *card["speakers"]["val"]}
    heard = sorted(known & set(data["speakers"]["test"]))
    return f" (a leak: it has heard test speakers {', '.join(heard)})" if heard else ""


def _short(value: Any) -> str:
    """A value in a few words: hashes cut, lists told by their length where they are long."""
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{key} {_short(item)}" for key, item in value.items()) + ")"
    if isinstance(value, list):
        return ", ".join(map(str, value)) if len(value) <= 8 else f"{len(value)} of them"
    text = str(value)
    return text[:8] if len(text) == 64 else text or "none"
