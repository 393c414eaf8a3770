"""Stage corpus: makes the demo corpus only if it is selected."""

from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora import CorpusParams, DemoParams, read_corpus
from pipeline.stages.corpus import corpus

TINY = DemoParams(voices=2, sentences=1)


def test_the_demo_corpus_is_made_where_it_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    params = CorpusParams(name="demo", root=tmp_path / "demo", demo=TINY)
    with caplog.at_level("INFO"):
        corpus(params, tmp_path / "demo")
    assert len(read_corpus(params).clips) == 8
    assert "synthetic" in caplog.text


def test_another_corpus_leaves_an_empty_folder(tmp_path: Path) -> None:
    out = tmp_path / "data" / "raw" / "demo"
    corpus(CorpusParams(name="demo", root=out, demo=TINY), out)
    corpus(CorpusParams(name="ravdess", root=tmp_path / "elsewhere"), out)
    assert out.is_dir()
    assert not any(out.iterdir())


def test_the_demo_corpus_is_not_written_into_another_root(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"corpus\.root: the demo corpus is made in .*demo"):
        corpus(CorpusParams(name="demo", root=tmp_path / "ravdess"), tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
