"""Label sets: the four classes of the specification, a corpus's classes, and a mapping."""

import unicodedata

import pytest
from pydantic import ValidationError

from featurize.errors import CorpusError, ParamsError
from pipeline.corpora.by_name.emodb import EMODB
from pipeline.corpora.by_name.ravdess import RAVDESS
from pipeline.protocol.emotion_words import COMMON, COMMON_WORDS
from pipeline.protocol.labels import LabelParams, classes_of_votes, label_emotions

FOUR = LabelParams(set="four")
NATIVE = LabelParams(set="native")


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("happy", "happy"),
        ("surprised", "happy"),
        ("excited", "happy"),
        ("neutral", "neutral"),
        ("sad", "sad"),
        ("fearful", "sad"),
        ("fear", "sad"),
        ("angry", "angry"),
        ("disgust", "angry"),
        (" Happiness ", "happy"),
        ("ANGER", "angry"),
        ("exc", "happy"),
    ],
)
def test_four_maps_as_the_description_says(word: str, label: str) -> None:
    others = ["happy", "neutral", "sad", "angry"]
    labelling = label_emotions([word, *others], (), FOUR)
    assert labelling.label_of[word] == label
    assert labelling.names == ("happy", "neutral", "sad", "angry")


def test_four_on_ravdess_leaves_calm_out_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    labelling = label_emotions([*RAVDESS.facts.emotions, "calm"], RAVDESS.facts.emotions, FOUR)
    assert labelling.left_out == {"calm": 2}
    assert "calm" not in labelling.label_of
    assert "left out: 2 clips with the emotion 'calm'" in caplog.text


def test_four_on_emodb_leaves_boredom_out() -> None:
    labelling = label_emotions(EMODB.facts.emotions, EMODB.facts.emotions, FOUR)
    assert labelling.left_out == {"boredom": 1}
    assert labelling.label_of["fear"] == "sad"
    assert labelling.label_of["disgust"] == "angry"


def test_a_misspelt_word_stops_with_the_nearest_one() -> None:
    with pytest.raises(CorpusError, match=r"1 clip has the emotion 'hapy'; is 'happy' meant\?"):
        label_emotions(["happy", "sad", "hapy"], (), FOUR)


def test_four_uses_numbers_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        labelling = label_emotions(["10", "2", "0", "2.0"], (), FOUR)
    assert labelling.names == ("0", "2", "10")
    assert labelling.label_of["2.0"] == "2"
    assert "numbers" in caplog.text


def test_native_keeps_the_readers_order_without_empty_classes(caplog: pytest.LogCaptureFixture) -> None:
    labelling = label_emotions(["sad", "neutral", "angry"], RAVDESS.facts.emotions, NATIVE)
    assert labelling.names == ("neutral", "sad", "angry")
    assert labelling.left_out == {}
    assert "not learned, since they have no clip: calm, happy" in caplog.text


def test_native_sorts_a_tables_words() -> None:
    labelling = label_emotions(["Wistful", "bored", "bored ", "elated"], (), NATIVE)
    assert labelling.names == ("bored", "elated", "wistful")
    assert labelling.label_of["bored "] == "bored"


def test_a_mapping_is_followed_exactly() -> None:
    params = LabelParams(set="map", map={"Happy": "positive", "sad": "negative", "angry": "negative"})
    labelling = label_emotions(["happy", "sad", "angry", "neutral"], (), params)
    assert labelling.names == ("positive", "negative")
    assert labelling.label_of == {"happy": "positive", "sad": "negative", "angry": "negative"}
    assert labelling.left_out == {"neutral": 1}


def test_a_mapping_may_have_numbers() -> None:
    params = LabelParams.model_validate({"set": "map", "map": {0: "calm", 1: 7}}, strict=True)
    assert label_emotions(["0", "1.0"], (), params).label_of == {"0": "calm", "1.0": "7"}


def test_a_mapping_with_a_word_that_no_clip_has_names_the_nearest() -> None:
    params = LabelParams(set="map", map={"hapy": "a", "sad": "b"})
    with pytest.raises(ParamsError, match=r"'hapy'; the corpus has happy, sad; is 'happy' meant\?"):
        label_emotions(["happy", "sad"], (), params)


def test_an_empty_mapping_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"labels\.map is empty"):
        LabelParams(set="map")


@pytest.mark.parametrize("emotions", [[], ["happy"], ["calm", "bored"], ["happy", "surprised"], ["3", "3"]])
def test_fewer_than_two_classes_are_one_line(emotions: list[str]) -> None:
    with pytest.raises(CorpusError, match="of at least 2 classes") as error:
        label_emotions(emotions, (), FOUR)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("Freude", "happy"),
        ("gioia", "happy"),
        ("rabbia", "angry"),
        ("colère", "angry"),
        ("中立", "neutral"),
        ("pleasant surprise", "surprised"),
        ("wistful", "wistful"),
    ],
)
def test_words_of_other_languages_share_classes(word: str, label: str) -> None:
    labelling = label_emotions([word, "sad"], (), LabelParams(set="common"))
    assert labelling.label_of == {word: label, "sad": "sad"}


def test_common_classes_are_in_the_order_of_the_corpus() -> None:
    words = EMODB.facts.emotions
    assert label_emotions(words, words, LabelParams(set="common")).names == (
        *("angry", "bored", "disgusted", "fearful", "happy", "sad", "neutral"),
    )


def test_no_word_means_two_emotions() -> None:
    words = [word for meant in COMMON_WORDS.values() for word in meant.split()]
    assert len(words) == len(COMMON)
    assert all(COMMON.get(word, word) == word for word in COMMON_WORDS)
    assert all(word == word.lower() == unicodedata.normalize("NFC", word) for word in words)


def test_a_map_knows_an_emotion_by_its_common_word_too() -> None:
    params = LabelParams(set="map", map={"happy": "good", "sad": "bad", "wut": "worse", "angry": "bad"})
    found = label_emotions(["gioia", "happiness", "sad", "wut", "rabbia", "calm"], (), params)
    assert found.label_of == {
        "gioia": "good", "happiness": "good", "sad": "bad", "wut": "worse", "rabbia": "bad"
    }  # fmt: skip
    assert found.left_out == {"calm": 1}


@pytest.mark.parametrize(
    ("params", "classes"),
    [
        (FOUR, {"Happy": "happy", "anger": "angry", "fear": "sad", "disgust": "angry", "sad": "sad"}),
        (LabelParams(set="common"), {"Happy": "happy", "anger": "angry", "sad": "sad"}),
        (NATIVE, {"Happy": "happy", "anger": "anger", "sad": "sad"}),
        (LabelParams(set="map", map={"happy": "good", "anger": "bad"}), {"Happy": "good", "anger": "bad"}),
    ],
    ids=lambda value: value.set if isinstance(value, LabelParams) else "",
)
def test_votes_are_for_learned_classes_even_if_no_clip_has_the_emotion(
    params: LabelParams, classes: dict[str, str]
) -> None:
    labelling = label_emotions(["Happy", "anger", "sad"], (), params)
    words = ["Happy", "anger", "sad", "fear", "disgust", "other"]
    assert classes_of_votes(words, labelling, params) == classes
