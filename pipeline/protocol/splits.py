"""Who is trained on, validated on and tested on: speaker-independent folds.

Everything here is a pure function of the clips' descriptions and the parameters.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from featurize.errors import SplitError
from pipeline.protocol.folds import (
    FoldScheme,
    speaker_folds,
    stratified_folds,
    stratified_share,
    validation_speakers,
)

log = logging.getLogger(__name__)

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
Method = Literal["speaker", "predefined", "random"]
DEFAULT_FOLDS = 5


class SplitParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """How clips are divided into train, val and test."""

    method: Method = "speaker"
    """speaker | predefined: the table's split column | random: speaker-dependent, stamped so."""
    folds: Literal["auto", "loso"] | Annotated[int, Field(ge=2)] = "auto"
    """auto: the corpus's published folds, else 5 | a number | loso: leave one speaker out."""
    fold: Annotated[int, Field(ge=1)] = 1
    """The fold to test on, from 1."""
    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the other speakers used for validation."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the folds and of the choice of validation speakers."""


@dataclass(frozen=True)
class Item:
    """What a split has to know of a clip. `given` is the corpus's own split, or ""."""

    clip_id: str
    speaker: str
    gender: str
    label: str
    given: str = ""


@dataclass(frozen=True)
class Division:
    """A split and how it came about.

    Args:
        splits: "train", "val" or "test" per item.
        folds: how many folds there are and where they come from; None where there are none.
        val: how validation clips were chosen.
        speaker_independent: no speaker of one split is in another, and every speaker is known.
    """

    splits: list[str]
    folds: FoldScheme | None
    val: str
    speaker_independent: bool


def divide(
    items: Sequence[Item],
    params: SplitParams,
    published: Sequence[Sequence[str]] = (),
    published_by: str = "",
) -> Division:
    """Divide clips into train, val and test; `pipeline.audit` looks for leaks afterwards.

    Args:
        items: the clips.
        params: method, folds, seed.
        published: test speakers of each fold that the corpus's benchmark prescribes.
        published_by: that benchmark's name.

    Raises:
        SplitError: the division is impossible, empty, or lacks a class in train.
    """
    if params.method == "speaker":
        division = _by_speaker(items, params, published, published_by)
    elif params.method == "predefined":
        division = _predefined(items, params)
    else:
        division = _random(items, params)
    _require_classes(items, division.splits)
    return division


def _by_speaker(
    items: Sequence[Item], params: SplitParams, published: Sequence[Sequence[str]], published_by: str
) -> Division:
    genders, clips = _speakers(items)
    if params.folds == "auto" and published:
        scheme = FoldScheme(kind="published", number=len(published), publisher=published_by)
        folds = [[speaker for speaker in fold if speaker in genders] for fold in published]
        strangers = sorted(set(genders) - {speaker for fold in published for speaker in fold})
        if strangers:
            raise SplitError(
                f"the folds of {published_by} lack the speakers {some(strangers)}; set split.folds"
            )
    else:
        num_folds = _number_of_folds(params, len(genders))
        scheme = FoldScheme(kind="loso" if params.folds == "loso" else "dealt", number=num_folds)
        folds = speaker_folds(genders, clips, num_folds, params.seed)
    test = set(folds[_fold_index(params, len(folds))])
    if not test:
        raise SplitError(
            f"split.fold {params.fold}: none of its speakers is in the corpus; take another fold"
        )
    rest = {speaker: gender for speaker, gender in genders.items() if speaker not in test}
    val = set(validation_speakers(rest, params.val_share, (params.seed, params.fold)))
    splits = ["test" if i.speaker in test else "val" if i.speaker in val else "train" for i in items]
    how = f"{len(val)} of the {len(rest)} speakers that are not tested on, by seed {params.seed}"
    return Division(splits, scheme, how, speaker_independent=True)


def _number_of_folds(params: SplitParams, num_speakers: int) -> int:
    if params.folds == "loso":
        return num_speakers
    if params.folds == "auto":
        return min(DEFAULT_FOLDS, num_speakers)
    if params.folds > num_speakers:
        raise SplitError(f"split.folds: {params.folds} folds, but only {num_speakers} speakers")
    return params.folds


def _predefined(items: Sequence[Item], params: SplitParams) -> Division:
    missing = [item.clip_id for item in items if not item.given]
    if missing:
        raise SplitError(
            f"split.method predefined: {len(missing)} of {len(items)} clips have no split "
            f"(first: {missing[0]}); the table needs a column split with train, val or test in every row"
        )
    splits = [item.given for item in items]
    how = "predefined"
    if "val" not in splits and "train" in splits:
        train = [item for item in items if item.given == "train"]
        drawn, how = _val_from_train(train, params)
        splits = ["val" if item.clip_id in drawn else item.given for item in items]
    known = all(item.speaker for item in items)
    return Division(splits, None, how, speaker_independent=known)


def _val_from_train(train: Sequence[Item], params: SplitParams) -> tuple[set[str], str]:
    """Validation clips for a table that has none: by speakers where they are known, else by clips."""
    if all(item.speaker for item in train):
        genders, _ = _speakers(train)
        speakers = set(validation_speakers(genders, params.val_share, (params.seed,)))
        how = f"{len(speakers)} of {len(genders)} train speakers, by seed {params.seed}"
        return {item.clip_id for item in train if item.speaker in speakers}, how
    chosen = stratified_share({item.clip_id: item.label for item in train}, params.val_share, params.seed)
    log.warning(
        "no val rows and no speakers: validation clips are drawn from train and may share speakers with it"
    )
    return chosen, f"{len(chosen)} of {len(train)} train clips, by seed {params.seed}; speakers unknown"


def _random(items: Sequence[Item], params: SplitParams) -> Division:
    if params.folds == "loso":
        raise SplitError(
            "split.folds loso leaves one speaker out, which split.method random cannot; use speaker"
        )
    num_folds = DEFAULT_FOLDS if params.folds == "auto" else params.folds
    index = _fold_index(params, num_folds)
    fold_of = stratified_folds({item.clip_id: item.label for item in items}, num_folds, params.seed)
    rest = {item.clip_id: item.label for item in items if fold_of[item.clip_id] != index}
    val = stratified_share(rest, params.val_share, params.seed)
    splits = [
        "test" if fold_of[item.clip_id] == index else "val" if item.clip_id in val else "train"
        for item in items
    ]
    how = f"{len(val)} of the {len(rest)} clips that are not tested on, by seed {params.seed}"
    scheme = FoldScheme(kind="dealt", number=num_folds)
    return Division(splits, scheme, how, speaker_independent=False)


def _require_classes(items: Sequence[Item], splits: Sequence[str]) -> None:
    labels = {split: {i.label for i, s in zip(items, splits, strict=True) if s == split} for split in SPLITS}
    for split in SPLITS:
        if not labels[split]:
            raise SplitError(
                f"no clip in {split}; change split.fold, split.val_share or the table's split column"
            )
        lacking = sorted({item.label for item in items} - labels[split])
        if lacking and split == "train":
            raise SplitError(f"no clip of class {some(lacking)} in train; change split.fold or split.seed")
        if lacking:
            log.warning("no clip of class %s in %s", some(lacking), split)


def _speakers(items: Sequence[Item]) -> tuple[dict[str, str], dict[str, int]]:
    """Gender and number of clips of every speaker."""
    unknown = [item.clip_id for item in items if not item.speaker]
    if unknown:
        raise SplitError(
            f"{len(unknown)} of {len(items)} clips have no speaker (first: {unknown[0]}), so speakers cannot "
            "be kept apart; add a column speaker, or set split.method to predefined or random"
        )
    clips = Counter(item.speaker for item in items)
    genders = {item.speaker: item.gender for item in reversed(items)}
    return genders, dict(clips)


def _fold_index(params: SplitParams, num_folds: int) -> int:
    if params.fold > num_folds:
        raise SplitError(f"split.fold: {params.fold} is not one of the folds 1 to {num_folds}")
    return params.fold - 1


def some(names: Sequence[str]) -> str:
    """Up to five names, and how many more there are."""
    rest = len(names) - 5
    return ", ".join(names[:5]) + (f" and {rest} more" if rest > 0 else "")
