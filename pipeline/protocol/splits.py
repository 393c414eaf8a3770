"""Who is trained on, validated on and tested on: speaker-independent folds.

Everything here is a pure function of the clips' descriptions and the parameters.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from featurize.errors import SplitError, counted
from pipeline.protocol.class_coverage import describe_missing, find_better_fold, find_missing
from pipeline.protocol.division import Division, Item, fold_index, keeps_apart, speakers_of
from pipeline.protocol.fold_sets import FoldSet, find_fold_set
from pipeline.protocol.folds import (
    DEFAULT_FOLDS,
    FoldScheme,
    choose_folds,
    some,
    speaker_folds,
    speakers_of_sessions,
    stratified_folds,
    stratified_share,
    validation_speakers,
)
from pipeline.protocol.split_params import SPLITS, SplitParams

log = logging.getLogger(__name__)


def divide(
    items: Sequence[Item],
    params: SplitParams,
    fold_sets: Sequence[FoldSet] = (),
) -> Division:
    """Divide clips into train, val and test; `pipeline.audit` looks for leaks afterwards.

    Args:
        items: the clips.
        params: method, folds, seed.
        fold_sets: those published for the corpus, the default first.

    Raises:
        SplitError: the division is impossible, empty, or lacks a class in train.
    """
    division = _divide(items, params, fold_sets)
    if empty := [split for split in SPLITS if split not in division.splits]:
        todo = "change the table's split column" if params.method == "predefined" else "more clips are needed"
        raise SplitError(f"no clip in {some(empty)}: {counted(len(items), 'clip')}; {todo}")
    missing = find_missing([item.label for item in items], division.splits)
    if not missing:
        return division
    remedy = _remedy(items, params, division, fold_sets)
    if "train" in missing:
        raise SplitError(f"{describe_missing({'train': missing['train']})}; {remedy}")
    return replace(division, missing=missing, remedy=remedy)


def _divide(items: Sequence[Item], params: SplitParams, fold_sets: Sequence[FoldSet]) -> Division:
    if params.method == "random":
        return _random(items, params)
    if params.method in {"corpus", "one-corpus"}:
        return _by_corpus(items, params)
    published = find_fold_set(params.folds, fold_sets) if params.method == "speaker" else None
    if params.method == "speaker" and (published is None or published.test):
        return _by_speaker(items, params, published)
    return _predefined(items, params, published)


def _remedy(
    items: Sequence[Item], params: SplitParams, division: Division, fold_sets: Sequence[FoldSet]
) -> str:
    """What to set so that every class is in every split."""
    if division.folds is None:
        return "change the table's split column"
    if division.folds.kind in {"corpus", "one-corpus"}:
        return "leave the corpus without it out of corpus.members, or choose classes that all have (labels)"
    by_speaker = params.method == "speaker"
    sources = defaultdict(set)
    for item in items:
        sources[item.label].add(item.speaker if by_speaker else item.clip_id)
    labels = [item.label for item in items]

    def has_all(number: int | None, fold: int) -> bool:
        changed = params.model_copy(update={"folds": number or params.folds, "fold": fold})
        try:
            return not find_missing(labels, _divide(items, changed, fold_sets).splits)
        except SplitError:
            return False

    numbers = {label: len(own) for label, own in sources.items()}
    unit = "speaker" if by_speaker else "clip"
    return find_better_fold(numbers, division.folds.number, has_all, unit=unit)


def _by_speaker(items: Sequence[Item], params: SplitParams, published: FoldSet | None) -> Division:
    speakers = speakers_of(items)
    if len(speakers) < len(SPLITS):
        also = " split.folds=auto" if params.folds == "loso" else ""  # which random has not
        raise SplitError(
            f"split.method speaker: {counted(len(speakers), 'speaker')}, but train, val and test need "
            f"one each; add speakers, or set split.method=random{also}, which is stamped speaker-dependent"
        )
    sessions = (
        speakers_of_sessions((i.session, i.speaker) for i in items) if params.folds == "session" else {}
    )
    scheme, folds = choose_folds(speakers, params.folds, params.seed, published, sessions)
    index = fold_index(params, len(folds))
    test = set(folds[index])
    if not test:
        there = some([f"{number}" for number, fold in enumerate(folds, start=1) if fold])
        raise SplitError(f"split.fold: the corpus has no speaker of fold {params.fold}, only of {there}")
    rest = [speaker for speaker in speakers if speaker.name not in test]
    if len(rest) < 2:
        raise SplitError(
            f"split.fold {params.fold}: {len(rest)} of {counted(len(speakers), 'speaker')} beside the test speakers, "
            "but train and val need one each; set split.folds=loso split.fold=1"
        )
    if published is not None and published.val:
        val = {speaker.name for speaker in rest} & set(published.val[index])
        how = f"the {counted(len(val), 'speaker')} published by {published.source}"
    else:
        val = set(validation_speakers(rest, params.val_share, (params.seed, params.fold)))
        how = f"{len(val)} of the {len(rest)} speakers that are not tested on, by seed {params.seed}"
    splits = ["test" if i.speaker in test else "val" if i.speaker in val else "train" for i in items]
    return Division(splits, scheme, how, speaker_independent=True)


def _by_corpus(items: Sequence[Item], params: SplitParams) -> Division:
    """Leave one corpus out for the test; or train on one, and test on speakers of it and on all others."""
    names = list(dict.fromkeys(item.corpus for item in items))
    if len(names) < 2:
        raise SplitError(
            f"split.method {params.method} needs several corpora, and there are clips of {some(names)} alone; "
            "name them in corpus.members, with corpus.name=several"
        )
    chosen = names[fold_index(params, len(names))]
    alone = params.method == "one-corpus"
    speakers = speakers_of([item for item in items if (item.corpus == chosen) == alone])
    test: set[str] = set()
    if alone:
        test = set(speaker_folds(speakers, min(DEFAULT_FOLDS, len(speakers)), params.seed)[0])
    rest = [speaker for speaker in speakers if speaker.name not in test]
    if len(rest) < 2:
        raise SplitError(
            f"split.fold {params.fold}: {counted(len(rest), 'speaker')} beside those tested on, but train and val need "
            "one each; leave the corpus out, or add speakers"
        )
    val = set(validation_speakers(rest, params.val_share, (params.seed, params.fold)))
    train = {speaker.name for speaker in rest} - val
    splits = ["val" if i.speaker in val else "train" if i.speaker in train else "test" for i in items]
    how = f"{len(val)} of the {len(rest)} speakers that are not tested on, by seed {params.seed}"
    scheme = FoldScheme(kind="one-corpus" if alone else "corpus", number=len(names))
    return Division(splits, scheme, how, speaker_independent=keeps_apart(items, splits))


def _predefined(items: Sequence[Item], params: SplitParams, published: FoldSet | None = None) -> Division:
    missing = [item.clip_id for item in items if not item.given]
    if missing:
        of = f"of {counted(len(items), 'clip')} "
        raise SplitError(
            f"split.method predefined: {counted(len(missing), of + 'has', of + 'have')} no split "
            f"(first: {missing[0]}); the table needs a column split with train, val or test in every row"
        )
    splits = [item.given for item in items]
    how = "predefined"
    if "val" not in splits and "train" in splits:
        train = [item for item in items if item.given == "train"]
        drawn, how = _val_from_train(train, params)
        splits = ["val" if item.clip_id in drawn else item.given for item in items]
    if published is None:
        return Division(splits, None, how, speaker_independent=keeps_apart(items, splits))
    scheme = FoldScheme(kind="published", number=1, publisher=published.source)
    fold_index(params, 1)
    return Division(
        *(splits, scheme, how if how != "predefined" else f"published by {published.source}"),
        speaker_independent=keeps_apart(items, splits),
        speakers_may_overlap=published.admits_shared_speakers,
    )


def _val_from_train(train: Sequence[Item], params: SplitParams) -> tuple[set[str], str]:
    """Validation clips for a table that has none: by speakers where they are known, else by clips."""
    if all(item.speaker for item in train):
        speakers = speakers_of(train)
        if len(speakers) < 2:
            raise SplitError(
                f"split.method predefined: no clip is marked val, and validation speakers cannot be taken from train, "
                f"whose only speaker is {train[0].speaker}; mark another speaker's clips val in the column split"
            )
        val = set(validation_speakers(speakers, params.val_share, (params.seed,)))
        how = f"{len(val)} of {counted(len(speakers), 'train speaker')}, by seed {params.seed}"
        return {item.clip_id for item in train if item.speaker in val}, how
    chosen = stratified_share({item.clip_id: item.label for item in train}, params.val_share, params.seed)
    log.warning(
        "no val rows and no speakers: validation clips are drawn from train and may share speakers with it"
    )
    how = f"{len(chosen)} of {counted(len(train), 'train clip')}, by seed {params.seed}; speakers unknown"
    return chosen, how


def _random(items: Sequence[Item], params: SplitParams) -> Division:
    if params.folds != "auto" and isinstance(params.folds, str):
        raise SplitError(
            f"split.folds {params.folds} is of speakers, which split.method random cannot keep apart; "
            "set split.folds=auto"
        )
    num_folds = params.folds if isinstance(params.folds, int) else DEFAULT_FOLDS
    index = fold_index(params, num_folds)
    fold_of = stratified_folds({item.clip_id: item.label for item in items}, num_folds, params.seed)
    rest = {item.clip_id: item.label for item in items if fold_of[item.clip_id] != index}
    val = stratified_share(rest, params.val_share, params.seed)
    splits = [
        "test" if fold_of[item.clip_id] == index else "val" if item.clip_id in val else "train"
        for item in items
    ]
    how = f"{len(val)} of the {len(rest)} clips that are not tested on, by seed {params.seed}"
    scheme = FoldScheme(kind="dealt", number=num_folds)
    return Division(splits, scheme, how, speaker_independent=False, speakers_may_overlap=True)
