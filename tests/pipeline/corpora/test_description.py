"""The table of corpora, and what is said of one."""

from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.catalogue import PUBLISHED
from pipeline.corpora.description import describe_folds, find_recordings, print_corpora, print_corpus
from pipeline.protocol.fold_sets import FoldSet
from tests.pipeline.corpora.trees import grow


def test_the_table_has_a_row_for_every_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    print_corpora()
    lines = capsys.readouterr().out
    assert len(PUBLISHED) == 27
    assert all(f"\n│{name} " in lines.replace("│ ", "│") for name in PUBLISHED)


def test_what_is_found_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grow(tmp_path, "emovo/f1/dis-f1-b1.wav", "emovo/f1/gio-f1-b1.wav", "meld/train_splits/dia0_utt3.mp4")
    found = find_recordings(tmp_path)
    assert {name: number for name, number in found.items() if number} == {"emovo": 2, "meld": 1}
    print_corpus("emovo", tmp_path)
    assert "2 recordings in" in capsys.readouterr().out
    with pytest.raises(CorpusError, match=r"--root: .*nowhere is not a folder"):
        print_corpora(tmp_path / "nowhere")


@pytest.mark.parametrize("name", PUBLISHED)
def test_all_that_is_known_of_a_corpus_is_said(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_corpus(name)
    said = capsys.readouterr().out
    facts = PUBLISHED[name].facts
    for text in (facts.title, facts.licence, facts.link, *facts.layout, *facts.slips, *facts.hints):
        assert text in said
    assert f"dvc exp run -S corpus.name={name} " in said
    assert PUBLISHED[name].match(f"/x/{facts.layout[0].rsplit('.', 1)[0]}")


def test_whether_folds_keep_speakers_apart_is_found_by_comparing_them() -> None:
    assert describe_folds(FoldSet("x", "Y", (("a",), ("b",)))) == "x: 2 folds of Y, speaker-independent"
    assert describe_folds(FoldSet("x", "Y", (("a",), ("a",)))) == "x: 2 folds of Y, SPEAKER-DEPENDENT"
    assert describe_folds(FoldSet("published-speaker-dependent", "Y")).endswith(
        "1 fold of Y, SPEAKER-DEPENDENT"
    )
    assert describe_folds(FoldSet("partition", "Y")).endswith("checked when read")
