"""What a leak is worth: the test UAR of a random split less that of a speaker-independent one.

One network is trained and tested twice on the same features. Both splits have as many clips of each class in train,
val and test; in one of them no speaker is in two splits, in the other the clips of each class were dealt at random.
The difference is what a score gains when the network has heard the voices that it is tested on. Most published
figures above 85 % on RAVDESS contain it.
"""

import logging
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from featurize.atomic import write_json
from featurize.errors import SplitError
from featurize.shards import list_shards
from model.batches import Features, load_features
from model.logits import predict_logits
from model.network.tier1 import NetworkParams, build_network
from model.scoring.metrics import compute_metrics
from model.training.fit import EpochResult, TrainParams, fit
from pipeline.protocol.card import TrainingCard, training_card
from pipeline.protocol.class_coverage import describe_missing
from pipeline.protocol.data_card import data_card, heard_by, shared_provenance
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.manifest_summary import ManifestSummary, read_summary
from pipeline.protocol.splits import SPLITS, Item, SplitParams, divide
from pipeline.protocol.wording import describe_making, describe_task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arm:
    """One of the two trainings.

    Args:
        protocol: what was trained and tested on, in one line.
        uar: on the test split.
        val_uar: on the validation split, in the best epoch.
        best_epoch: counted from 1.
        clips: number per split.
        speakers_in_two_splits: number.
    """

    protocol: str
    uar: float
    val_uar: float
    best_epoch: int
    clips: dict[str, int]
    speakers_in_two_splits: int


@dataclass(frozen=True)
class LeakTax:
    """Both trainings and their difference."""

    random: Arm
    speaker_independent: Arm
    leak_tax: float
    epochs: int
    seed: int


def leak_tax(
    network: NetworkParams,
    train: TrainParams,
    split: SplitParams,
    data: Path,
    reports: Path,
    device: str = "cpu",
) -> LeakTax:
    """Train and test on both splits of data/features/, and write reports/leak_tax.json.

    Nothing else is written: checkpoints go to a scratch folder, and the features stay as they are. Augmented copies
    are left out, since a copy may stand in another split than its original.

    Args:
        network: which network.
        train: how to train; its seed also deals the random split.
        split: how to divide by speaker, where the features' own split shares speakers.
        data: folder of features and manifest.json.
        reports: where leak_tax.json is written.
        device: where to train.

    Raises:
        SplitError: clips without a speaker, or too few speakers.
        CorpusError, ShardError, TrainingError: the features are missing, damaged, or cannot be trained on.
    """
    paths = list_shards(data / "features")
    summary = read_summary(data / "manifest.json")
    made = shared_provenance(paths)
    card = training_card(data_card(summary, paths, made), train.seed, network.normalisation, device)
    features = load_originals(paths, summary.labels)
    apart, folds, fold = split_by_speaker(features, split, summary)
    mixed = deal_at_random(apart, features.labels.tolist(), train.seed)
    at_random = {"split": "random", "speaker_independent": False, "folds": None, "fold": 0}
    by_speaker = {"split": "speaker", "speaker_independent": True, "folds": folds, "fold": fold}
    dealt = f"dealt at random by seed {train.seed}"
    arms = []
    for splits, changes, how in ((mixed, at_random, dealt), (apart, by_speaker, "")):
        tested = [index for index, name in enumerate(splits) if name == "test"]
        own = arm_card(card.model_copy(update=changes), select(features, tested), made["denoiser"])
        line = f"{describe_task(own, how)}, {describe_making(own)}, seed {train.seed}"
        arms.append(_train(line, features, splits, summary.labels, network, train, device))
    result = LeakTax(arms[0], arms[1], arms[0].uar - arms[1].uar, train.epochs, train.seed)
    write_json(reports / "leak_tax.json", asdict(result))
    return result


def arm_card(card: TrainingCard, tested: Features, denoiser: Mapping[str, Any]) -> TrainingCard:
    """A card with what follows from the tested clips: classes without any, speakers that the denoiser has heard."""
    labels = {card.labels[label] for label in tested.labels}
    heard = heard_by(denoiser, zip(tested.columns["corpus"], tested.columns["speaker"], strict=True))
    return card.model_copy(
        update={
            "untested_labels": [name for name in card.labels if name not in labels],
            "denoiser_heard_test_speakers": heard,
        }
    )


def load_originals(paths: Sequence[Path], labels: Sequence[str]) -> Features:
    """The clips of all three splits, without augmented copies; what split each is in is in the columns."""
    parts = []
    for split in SPLITS:
        part = load_features(paths, labels, split)
        parts.append(select(part, np.flatnonzero(part.original).tolist()))
    columns = {
        name: np.concatenate([part.columns[name] for part in parts])
        for name in ("clip_id", "corpus", "speaker", "gender")
    }
    columns["split"] = np.repeat(np.array(SPLITS, dtype=object), [len(part) for part in parts])
    clips = [clip for part in parts for clip in part.clips]
    return Features(clips, np.concatenate([part.labels for part in parts]), columns)


def select(features: Features, index: Sequence[int]) -> Features:
    """Some of the clips."""
    columns = {name: values[index] for name, values in features.columns.items()}
    return Features([features.clips[i] for i in index], features.labels[index], columns)


def split_by_speaker(
    features: Features, split: SplitParams, summary: ManifestSummary
) -> tuple[list[str], FoldScheme | None, int]:
    """A speaker-independent split per clip, its folds and the fold tested on: the features' own where it is one.

    Raises:
        SplitError: a clip has no speaker, or there are too few speakers.
    """
    columns = features.columns
    speakers, own = columns["speaker"].tolist(), columns["split"].tolist()
    unknown = [str(name) for name, speaker in zip(columns["clip_id"], speakers, strict=True) if not speaker]
    if unknown:
        raise SplitError(
            f"leak-tax: {len(unknown)} of {len(features)} clips have no speaker (first: {unknown[0]}), so there is "
            "no speaker-independent split to compare with; add a column speaker"
        )
    if not _shared(speakers, own) and set(own) == set(SPLITS):
        return own, summary.protocol.folds, summary.protocol.fold
    genders = columns["gender"].tolist()
    rows = zip(columns["clip_id"].tolist(), speakers, genders, features.labels.tolist(), strict=True)
    items = [Item(name, speaker, gender, summary.labels[label]) for name, speaker, gender, label in rows]
    division = divide(items, split.model_copy(update={"method": "speaker"}))
    if division.missing:
        log.warning("leak-tax: %s; %s", describe_missing(division.missing), division.remedy)
    return division.splits, division.folds, split.fold


def deal_at_random(splits: Sequence[str], labels: Sequence[int], seed: int) -> list[str]:
    """Shuffle the splits among the clips of each class, so that every split keeps its size and its classes."""
    rng = np.random.default_rng(seed)
    of_label: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        of_label[label].append(index)
    dealt = list(splits)
    for _, members in sorted(of_label.items()):
        for index, source in zip(members, rng.permutation(members).tolist(), strict=True):
            dealt[index] = splits[source]
    return dealt


def _train(
    protocol: str,
    features: Features,
    splits: Sequence[str],
    labels: Sequence[str],
    network_params: NetworkParams,
    params: TrainParams,
    device: str,
) -> Arm:
    parts = {
        name: select(features, [index for index, split in enumerate(splits) if split == name])
        for name in SPLITS
    }
    network = build_network(features.clips[0].shape[1], len(labels), network_params, params.seed)
    log.info("leak-tax: %s", protocol)

    def on_epoch(result: EpochResult) -> None:
        log.info("epoch %d of %d: validation UAR %.3f", result.epoch, params.epochs, result.val_uar)

    with tempfile.TemporaryDirectory(prefix="ser-leak-tax-") as scratch:
        outcome = fit(
            network, parts["train"], parts["val"], params, Path(scratch), device=device, on_epoch=on_epoch
        )
    test = parts["test"]
    predicted = predict_logits(network, test, device=device).argmax(dim=1).numpy()
    uar = compute_metrics(test.labels, predicted, labels).uar
    shared = _shared(features.columns["speaker"].tolist(), splits)
    return Arm(protocol, uar, outcome.best_uar, outcome.best_epoch, dict(Counter(splits)), len(shared))


def _shared(speakers: Sequence[str], splits: Sequence[str]) -> list[str]:
    """Speakers that are in two splits."""
    found: dict[str, set[str]] = defaultdict(set)
    for speaker, split in zip(speakers, splits, strict=True):
        found[speaker].add(split)
    return [speaker for speaker, where in found.items() if len(where) > 1]
