"""Several corpora are read as one, in which no name of a speaker, clip, session or sentence is of two corpora."""

import logging
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import CorpusError, ParamsError
from pipeline.corpora import CorpusParams, read_corpus
from pipeline.corpora.clip import Clip, LeftOut
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import Facts
from pipeline.corpora.label_source import choose_labels
from pipeline.corpora.several import Member, join
from pipeline.params import check_params
from pipeline.protocol.labels import LabelParams, label_emotions
from tests.pipeline.corpora.trees import grow


def clip(corpus: str, name: str, emotion: str, **fields: Any) -> Clip:
    return Clip(f"{corpus}/{name}", Path(f"{name}.wav"), corpus, "01", "", emotion, **fields)


def params(**fields: Any) -> CorpusParams:
    return check_params({"corpus": fields}, "test").corpus


def tables(root: Path) -> Path:
    for name, emotions in (("one", ("happy", "sad")), ("two", ("gioia", "tristezza"))):
        rows = [f"{emotion}.wav,{emotion},01\n" for emotion in emotions]
        grow(root, f"{name}/list.csv", text="file_path,emotion_code,speaker\n" + "".join(rows))
        grow(root, *(f"{name}/{emotion}.wav" for emotion in emotions))
    return root


def test_names_start_with_the_corpus_so_that_none_collide() -> None:
    own = {"session": "5", "sentence": "a01"}
    first = Corpus("x", [clip("x", "a", "happy", **own)], ("happy", "sad"), facts=Facts(licence="free"))
    left = LeftOut("y/b", "y/a", "same name and bytes")
    second = Corpus("y", [clip("y", "a", "wut", **own)], left_out=(left,))
    found = join([(Member(name="x"), first), (Member(name="y", alias="why"), second)])
    assert [c.clip_id for c in found.clips] == ["x/a", "why/a"]
    assert [(c.corpus, c.speaker, c.session, c.sentence) for c in found.clips] == [
        ("x", "x/01", "x/5", "x/a01"),
        ("why", "why/01", "why/5", "why/a01"),
    ]
    assert (found.name, found.emotions) == ("x + why", ("happy", "sad", "wut"))
    assert (found.left_out[0].name, found.left_out[0].kept) == ("why/b", "why/a")
    assert found.facts.licence == "x: free"


def test_what_is_not_known_stays_so() -> None:
    unknown = Clip("x/a", Path("a.wav"), "x", "", "", "sad")
    (found,) = join([(Member(name="x"), Corpus("x", [unknown]))]).clips
    assert (found.speaker, found.session, found.sentence) == ("", "", "")


def test_a_corpus_may_have_labels_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    member = Member.model_validate({"name": "x", "labels": {"0": "neutral", "1": "sad", "7": "odd"}})
    heard = clip("x", "a", "0", perceived="1", votes={"0": 2.0, "1": 1.0, "neutral": 4.0})
    found = join([(member, Corpus("x", [heard, clip("x", "b", "1.0")]))])
    assert [c.emotion for c in found.clips] == ["neutral", "sad"]
    assert (found.clips[0].perceived, found.clips[0].votes) == ("sad", {"neutral": 6.0, "sad": 1.0})
    assert "x: no clip has the emotion 7" in caplog.text


def test_words_of_several_languages_share_classes(tmp_path: Path) -> None:
    several = params(
        name="several",
        root=str(tables(tmp_path)),
        members=[
            {"name": "table", "alias": "one", "root": "one/list.csv"},
            {"name": "table", "alias": "two", "root": "two/list.csv"},
        ],
    )
    found = read_corpus(several)
    labelling = label_emotions([c.emotion for c in found.clips], found.emotions, LabelParams())
    assert labelling.label_of == {"happy": "happy", "sad": "sad", "gioia": "happy", "tristezza": "sad"}
    assert [c.clip_id for c in found.clips] == ["one/happy", "one/sad", "two/gioia", "two/tristezza"]


def test_a_member_is_named_in_the_error_of_its_reader(tmp_path: Path) -> None:
    several = params(name="several", root=str(tmp_path), members=["ravdess", "emodb"])
    with pytest.raises(CorpusError, match=r"^corpus\.members, ravdess: .*ravdess"):
        read_corpus(several)
    several = params(name="several", root=str(tmp_path), members=["emofoo", "emodb"])
    with pytest.raises(CorpusError, match=r"^corpus\.members, emofoo: no corpus 'emofoo'; is 'emo"):
        read_corpus(several)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "several"}, "belong together"),
        ({"name": "ravdess", "members": ["emodb"]}, "set corpus.name to several"),
        ({"name": "several", "members": ["table", "table"]}, "two are called table; give each an alias"),
        ({"name": "several", "members": ["emodb", "demo"]}, "demo cannot be one of several"),
        ({"name": "several", "members": [{"name": "emodb", "alias": "a/b"}]}, "alias"),
        ({"name": "several", "members": [{"root": "x"}]}, "name"),
    ],
)
def test_members_that_make_no_sense_are_one_line(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ParamsError, match=why) as raised:
        params(**fields)
    assert "\n" not in str(raised.value)


def test_what_one_corpus_does_not_tell_is_said_of_that_corpus(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rated = clip("x", "a", "sad", perceived="sad", votes={"sad": 3.0}, raters=3)
    with pytest.raises(ParamsError, match="the corpus y does not say which emotion was perceived"):
        choose_labels([rated, clip("y", "b", "sad")], LabelParams.model_validate({"of": "perceived"}))
    with pytest.raises(ParamsError, match="the corpus y does not say how many raters agreed"):
        choose_labels([rated, clip("y", "b", "sad")], LabelParams(min_agreement=0.5))


def test_ratings_on_scales_of_their_own_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    rated = [(Member(name=name), Corpus(name, [clip(name, "a", "sad", valence=3.0)])) for name in "xy"]
    join(rated[:1])
    assert "scale" not in caplog.text
    join(rated)
    assert "dominance of x and y are each on its own scale" in caplog.text
