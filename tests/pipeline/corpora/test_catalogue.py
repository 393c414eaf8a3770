"""Published corpora: every fold set is held against its speakers."""

import re

import pytest

from featurize.errors import CorpusError
from pipeline.corpora import CorpusParams, read_corpus
from pipeline.corpora.catalogue import PUBLISHED, find_published
from pipeline.protocol.fold_sets import FoldSet, shared_speakers

FOLD_SETS = [(name, folds) for name, corpus in PUBLISHED.items() for folds in corpus.facts.fold_sets]


@pytest.mark.parametrize(("name", "folds"), FOLD_SETS, ids=lambda each: getattr(each, "name", each))
def test_published_folds_keep_speakers_apart_or_say_that_they_do_not(name: str, folds: FoldSet) -> None:
    tested = {speaker for fold in folds.test for speaker in fold}
    known = {part for part in PUBLISHED[name].facts.parts if "ession" not in part}
    assert shared_speakers(folds) == []
    assert all(folds.test), "no fold is empty"
    if not folds.test:
        assert folds.admits_shared_speakers or folds.name == "partition", "found out when its clips are read"
    assert not known or tested <= known
    if folds.number > 1 and known:
        assert tested == known, "each speaker is tested on"
    if len(folds.test) == 1:
        assert tested != known, "somebody is left to train on"
    assert re.fullmatch(r"[a-z][a-z0-9-]+", folds.name)
    assert folds.name not in {"auto", "loso", "session"}


def test_names_of_fold_sets_are_unique_in_a_corpus() -> None:
    for corpus in PUBLISHED.values():
        names = [folds.name for folds in corpus.facts.fold_sets]
        assert len({*names}) == len(names)
        assert len({folds.source for folds in corpus.facts.fold_sets}) == len(names), "cards would look alike"


@pytest.mark.parametrize("name", PUBLISHED)
def test_facts_are_complete(name: str) -> None:
    facts = PUBLISHED[name].facts
    assert facts.title
    assert facts.link.startswith("http")
    assert facts.licence
    assert facts.layout
    assert facts.emotions
    assert all(re.fullmatch("[a-z]{2}", language) for language in facts.languages)


def test_a_misspelt_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(
        CorpusError, match=r"no corpus 'ravdes'; is 'ravdess' meant\? `ser corpora` lists them"
    ):
        find_published("ravdes")
    with pytest.raises(CorpusError, match="no corpus 'RAVDESS'; is 'ravdess' meant"):
        read_corpus(CorpusParams(name="RAVDESS"))
