"""The leak tax: the test UAR of a random split minus that of a speaker-independent one.

The same network is trained and tested twice on the same features. Both splits have the same number of clips of each
class in train, val and test; in one of them no speaker is in two splits, in the other the clips of each class are
assigned at random. The difference is the gain from training on the voices of the test split. Most published figures
above 85 % on RAVDESS include it.
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
from featurize.errors import SplitError, counted
from model.batches import Features
from model.feature_splits import SplitLoader
from model.logits import predict_logits
from model.network.tier1 import NetworkParams, SERTier1, build_network
from model.scoring.metrics import compute_metrics
from model.training.fit import EpochResult, TrainParams, fit
from model.views import Clips, View
from pipeline.protocol.card import TrainingCard, training_card
from pipeline.protocol.class_coverage import describe_missing
from pipeline.protocol.data_card import data_card, shared_provenance, training_overlap
from pipeline.protocol.division import Item
from pipeline.protocol.folds import FoldScheme, name_speakers
from pipeline.protocol.manifest_summary import ManifestSummary, read_summary
from pipeline.protocol.origins import encoder_card
from pipeline.protocol.split_params import SPLITS, SplitParams
from pipeline.protocol.splits import divide
from pipeline.protocol.wording import describe_making, describe_task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arm:
    """One of the two trainings."""

    protocol: str
    """Data, split, normalisation, denoiser and seed, in one line."""
    uar: float
    """On the test split."""
    val_uar: float
    """On the validation split, in the best epoch."""
    best_epoch: int
    """Counted from 1."""
    clips: dict[str, int]
    """Number of clips per split."""
    speakers_in_two_splits: int
    """Number of speakers."""


@dataclass(frozen=True)
class LeakTax:
    """Both trainings and their difference."""

    random: Arm
    speaker_independent: Arm
    leak_tax: float
    """UAR of `random` minus UAR of `speaker_independent`."""
    epochs: int
    """Of each training, at most."""
    seed: int
    """Of both trainings and of the random split."""


def leak_tax(
    network: NetworkParams,
    train: TrainParams,
    split: SplitParams,
    data: Path,
    reports: Path,
    device: str = "cpu",
) -> LeakTax:
    """Train and test on both splits of data/features/, and write reports/leak_tax.json.

    No other file changes: checkpoints are written to a temporary folder. Augmented copies are not used, since a copy
    could be in another split than its original.

    Args:
        network: parameters of the network.
        train: parameters of the training; its seed also makes the random split.
        split: how to split by speaker, used if the split of the features shares speakers.
        data: folder of features and manifest.json.
        reports: folder for leak_tax.json.
        device: where to train.

    Raises:
        SplitError: clips without a speaker, or too few speakers.
        CorpusError, ShardError, TrainingError: the features are missing, damaged, or cannot be trained on.
    """
    summary = read_summary(data / "manifest.json")
    loader = SplitLoader(data, summary.labels, network.views)
    made = shared_provenance(loader.shards)
    encoder = encoder_card(loader.encodings)
    clips = data_card(summary, loader.shards, made, loader.encoding_shards)
    card = training_card(
        clips, train.seed, network.views, network.normalisation, device, refit=train.refit, encoder=encoder
    )
    features = load_originals(loader)
    apart, folds, fold = split_by_speaker(features, split, summary)
    mixed = shuffle_splits(apart, features.labels.tolist(), train.seed)
    at_random = {"split": "random", "speaker_independent": False, "folds": None, "fold": 0}
    by_speaker = {"split": "speaker", "speaker_independent": True, "folds": folds, "fold": fold}
    assigned = f"assigned at random with seed {train.seed}"
    arms = []
    for splits, changes, how in ((mixed, at_random, assigned), (apart, by_speaker, "")):
        tested = [index for index, name in enumerate(splits) if name == "test"]
        own = arm_card(card.model_copy(update=changes), select(features, tested), made["denoiser"])
        line = f"{describe_task(own, how)}, {describe_making(own)}, seed {train.seed}"
        built = build_network(
            made["tier0"]["mfcc"]["n_mfcc"], len(summary.labels), network, train.seed, loader.encoding
        )
        arms.append(_train(line, features, splits, built, summary.labels, train, device))
    result = LeakTax(arms[0], arms[1], arms[0].uar - arms[1].uar, train.epochs, train.seed)
    write_json(reports / "leak_tax.json", asdict(result))
    return result


def arm_card(card: TrainingCard, tested: Features, denoiser: Mapping[str, Any]) -> TrainingCard:
    """Update what depends on the clips of an arm: untested classes, speakers the denoiser knew, no agreement."""
    labels = {card.labels[label] for label in tested.labels}
    overlap = training_overlap(
        denoiser, zip(tested.columns["corpus"], tested.columns["speaker"], strict=True)
    )
    return card.model_copy(
        update={
            "untested_labels": [name for name in card.labels if name not in labels],
            "denoiser_heard_test_speakers": overlap,
            "no_agreement": "drop",  # only clips with a label are divided
        }
    )


def load_originals(loader: SplitLoader) -> Features:
    """The clips of all three splits without augmented copies; the column `split` holds the split of each."""
    parts = []
    for split in SPLITS:
        part = loader.load(split)
        parts.append(select(part, np.flatnonzero(part.original).tolist()))
    columns = {
        name: np.concatenate([part.columns[name] for part in parts])
        for name in ("clip_id", "corpus", "speaker", "gender")
    }
    columns["split"] = np.repeat(np.array(SPLITS, dtype=object), [len(part) for part in parts])
    views: dict[View, Clips] = {
        view: [clip for part in parts for clip in part.views[view]] for view in parts[0].views
    }
    voted = [part.votes for part in parts if part.votes is not None]
    votes = np.concatenate(voted) if len(voted) == len(parts) else None
    return Features(views, np.concatenate([part.labels for part in parts]), columns, votes=votes)


def select(features: Features, index: Sequence[int]) -> Features:
    """The clips at these indices."""
    columns = {name: values[index] for name, values in features.columns.items()}
    views: dict[View, Clips] = {view: [clips[i] for i in index] for view, clips in features.views.items()}
    votes = None if features.votes is None else features.votes[index]
    return Features(views, features.labels[index], columns, votes=votes)


def split_by_speaker(
    features: Features, split: SplitParams, summary: ManifestSummary
) -> tuple[list[str], FoldScheme | None, int]:
    """The split of each clip, the folds and the test fold of a speaker-independent split.

    It is the split of the features if that is speaker-independent.

    Raises:
        SplitError: a clip has no speaker, or there are too few speakers.
    """
    columns = features.columns
    speakers, own = columns["speaker"].tolist(), columns["split"].tolist()
    unknown = [str(name) for name, speaker in zip(columns["clip_id"], speakers, strict=True) if not speaker]
    if unknown:
        of = f"of {counted(len(speakers), 'clip')} "
        raise SplitError(
            f"leak-tax: {counted(len(unknown), of + 'has', of + 'have')} no speaker (first: {unknown[0]}), so there is "
            f"no speaker-independent split to compare with; {name_speakers(len(unknown), len(features))}"
        )
    if not _shared(speakers, own) and set(own) == set(SPLITS):
        return own, summary.protocol.folds, summary.protocol.fold
    genders = columns["gender"].tolist()
    rows = zip(columns["clip_id"].tolist(), speakers, genders, features.labels.tolist(), strict=True)
    items = [Item(name, speaker, gender, summary.labels[label]) for name, speaker, gender, label in rows]
    folds = split.folds if split.folds == "loso" or isinstance(split.folds, int) else "auto"
    division = divide(items, split.model_copy(update={"method": "speaker", "folds": folds}))
    if division.missing:
        log.warning("leak-tax: %s; %s", describe_missing(division.missing), division.remedy)
    return division.splits, division.folds, split.fold


def shuffle_splits(splits: Sequence[str], labels: Sequence[int], seed: int) -> list[str]:
    """Shuffle the splits among the clips of each class: every split keeps its number of clips of each class."""
    rng = np.random.default_rng(seed)
    of_label: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        of_label[label].append(index)
    assigned = list(splits)
    for _, members in sorted(of_label.items()):
        for index, source in zip(members, rng.permutation(members).tolist(), strict=True):
            assigned[index] = splits[source]
    return assigned


def _train(
    protocol: str,
    features: Features,
    splits: Sequence[str],
    network: SERTier1,
    labels: Sequence[str],
    params: TrainParams,
    device: str,
) -> Arm:
    parts = {
        name: select(features, [index for index, split in enumerate(splits) if split == name])
        for name in SPLITS
    }
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
