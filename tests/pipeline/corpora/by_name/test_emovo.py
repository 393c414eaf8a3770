"""EMOVO: the real corpus."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.corpora import CorpusParams, read_corpus
from pipeline.corpora.by_name.emovo import EMOVO, SIX


def test_the_real_corpus_is_complete(shared: Path, caplog: pytest.LogCaptureFixture) -> None:
    corpus = read_corpus(CorpusParams(name="emovo", root=shared / "corpora" / "emovo"))
    assert len(corpus.clips) == 588
    assert {clip.speaker for clip in corpus.clips} == {*SIX}
    assert Counter(clip.emotion for clip in corpus.clips) == dict.fromkeys(EMOVO.facts.emotions, 84)
    assert len({clip.sentence for clip in corpus.clips}) == 14
    assert Counter(clip.gender for clip in corpus.clips) == {"female": 294, "male": 294}
    assert "expected" not in caplog.text
