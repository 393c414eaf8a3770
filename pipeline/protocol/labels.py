"""Label sets: map a corpus's emotion words to the classes that the network learns."""

import difflib
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from featurize.errors import CorpusError, ParamsError, counted
from pipeline.protocol.emotion_words import COMMON

log = logging.getLogger(__name__)

# Common words of each of the four classes, in class order.
FOUR = {
    "happy": ("happy", "surprised", "excited"),
    "neutral": ("neutral",),
    "sad": ("sad", "fearful", "anxious"),
    "angry": ("angry", "disgusted"),
}
_FOUR_OF = {word: label for label, words in FOUR.items() for word in words}
_ENGLISH = [
    word for word, common in COMMON.items() if common in _FOUR_OF and word.isascii() and len(word) > 3
]
_NUMBER = re.compile(r"(-?)0*([0-9]+?)(\.0*)?")  # 3, or 03, or 3.0 where a spreadsheet took it for a float


def _word_if_number(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _numbers_are_words(value: Any) -> Any:
    """Turn numbers into words: YAML reads `0: 1` as two numbers, and tables may name classes by numbers."""
    if not isinstance(value, dict):
        return value
    return {_word_if_number(key): _word_if_number(label) for key, label in value.items()}


EmotionMap = Annotated[dict[str, str], BeforeValidator(_numbers_are_words)]
"""Emotion, as a corpus writes it → another word, or a class."""


class LabelParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Which classes to learn."""

    set: Literal["four", "common", "native", "map"] = "four"
    """four: happy, neutral, sad, angry | common: English words | native: the corpus's | map."""
    map: EmotionMap = Field(default_factory=dict)
    """With set: map, emotion or its English word -> class, as in {calm: neutral, happy: happy}."""
    of: Literal["standard", "intended", "perceived"] = "standard"
    """standard: as the corpus goes by | intended: as acted | perceived: as heard by raters."""
    min_agreement: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of raters that a label needs; other clips are left out and counted; 0: all stay."""
    no_agreement: Literal["drop", "class"] = "drop"
    """Training clips without a majority: drop | class: a class in training, never predicted."""

    @model_validator(mode="after")
    def _intentions_need_no_agreement(self) -> Self:
        if self.no_agreement == "class" and self.of == "intended":
            raise ValueError(
                "no_agreement class is of what was heard, but labels.of is intended; set it to drop"
            )
        return self

    @model_validator(mode="after")
    def _map_is_written(self) -> Self:
        if self.set == "map" and not self.map:
            raise ValueError("labels.set is map, but labels.map is empty; write emotion: class pairs there")
        return self


@dataclass(frozen=True)
class Labelling:
    """Classes of a corpus."""

    names: tuple[str, ...]
    """Classes that have clips, in class order."""
    label_of: dict[str, str]
    """Emotion word, as the corpus writes it → class."""
    left_out: dict[str, int]
    """Emotion word without a class → number of its clips."""


def label_emotions(emotions: Sequence[str], native: Sequence[str], params: LabelParams) -> Labelling:
    """Find the class of every emotion word of a corpus.

    Words are compared in lower case and without outer spaces.

    Args:
        emotions: one word per clip.
        native: the corpus's emotion words in class order; empty for a table, whose words are then sorted.
        params: the label set.

    Raises:
        CorpusError: fewer than two classes are left.
        ParamsError: labels.map has a word that no clip has.
    """
    counts = Counter(emotions)
    label_of, order = _LABEL_SETS[params.set](counts, native, params)
    left_out = {emotion: count for emotion, count in sorted(counts.items()) if emotion not in label_of}
    used = set(label_of.values())
    names = tuple(name for name in order if name in used)
    _log_classes(names, order, left_out)
    if len(names) < 2:
        raise CorpusError(
            f"labels.set {params.set}: {len(names)} of at least 2 classes left; the corpus has the emotions "
            f"{', '.join(sorted(counts)[:10]) or 'none'}; use labels.set native, or map"
        )
    return Labelling(names, label_of, left_out)


def classes_of_votes(words: Iterable[str], labelling: Labelling, params: LabelParams) -> dict[str, str]:
    """Emotion that raters chose → learned class; without those that the label set has no learned class for.

    An emotion may have votes, but no clip of which it is the label.
    """
    classes = {word: labelling.label_of.get(word) or _class_of(word, params) for word in words}
    return {word: label for word, label in classes.items() if label in labelling.names}


def _class_of(word: str, params: LabelParams) -> str | None:
    """The class of an emotion that no clip has as its label."""
    if params.set == "four":
        return _FOUR_OF.get(common_word(word))
    if params.set == "map":
        return _mapped(word, {plain_word(emotion): label for emotion, label in params.map.items()})
    return common_word(word) if params.set == "common" else plain_word(word)


_Found = tuple[dict[str, str], list[str]]
"""Emotion → class, and the classes in order."""


def _four(counts: Mapping[str, int], _native: Sequence[str], _params: LabelParams) -> _Found:
    if counts and all(_NUMBER.fullmatch(emotion) for emotion in counts):
        log.info("labels.set four: the corpus has numbers as labels, which are used unchanged")
        label_of = {emotion: plain_word(emotion) for emotion in counts}
        return label_of, _in_order(label_of.values())
    for emotion in sorted(counts):
        if (meant := _misspelt(emotion)) is not None:
            have = counted(counts[emotion], "clip has", "clips have")
            raise CorpusError(
                f"labels.set four: {have} the emotion {emotion!r}; is {meant!r} meant? "
                f"correct it, or map it to a class with labels.set map"
            )
    common = {emotion: common_word(emotion) for emotion in counts}
    return {emotion: _FOUR_OF[word] for emotion, word in common.items() if word in _FOUR_OF}, list(FOUR)


def _common(counts: Mapping[str, int], native: Sequence[str], _params: LabelParams) -> _Found:
    label_of = {emotion: common_word(emotion) for emotion in counts}
    return label_of, list(dict.fromkeys(map(common_word, native))) or _in_order(label_of.values())


def common_word(emotion: str) -> str:
    """The common English word for an emotion, as several corpora share it; an unknown word as it is."""
    word = plain_word(emotion)
    return COMMON.get(word.replace(" ", "_"), word)


def _misspelt(emotion: str) -> str | None:
    """The known word that an unknown one is close to, or None."""
    if common_word(emotion) in COMMON.values():
        return None
    near = difflib.get_close_matches(plain_word(emotion), _ENGLISH, n=1, cutoff=0.8)
    return near[0] if near else None


def _native(counts: Mapping[str, int], native: Sequence[str], _params: LabelParams) -> _Found:
    label_of = {emotion: plain_word(emotion) for emotion in counts}
    return label_of, list(native) or _in_order(label_of.values())


def _map(counts: Mapping[str, int], _native: Sequence[str], params: LabelParams) -> _Found:
    present = {word for emotion in counts for word in (plain_word(emotion), common_word(emotion))}
    mapping = {plain_word(word): label for word, label in params.map.items()}
    for word in mapping:
        if word not in present:
            near = difflib.get_close_matches(word, present, n=1)
            hint = f"; is {near[0]!r} meant?" if near else ""
            has = ", ".join(_in_order(present))
            raise ParamsError(f"labels.map: no clip has the emotion {word!r}; the corpus has {has}{hint}")
    label_of = {emotion: label for emotion in counts if (label := _mapped(emotion, mapping))}
    return label_of, list(dict.fromkeys(mapping.values()))


def _mapped(word: str, mapping: Mapping[str, str]) -> str | None:
    """The class of an emotion by a map of plain words: of the word itself, else of its common one."""
    return mapping.get(plain_word(word)) or mapping.get(common_word(word))


_LABEL_SETS = {"four": _four, "common": _common, "native": _native, "map": _map}


def plain_word(emotion: str) -> str:
    """An emotion as words are compared: in lower case, without outer spaces; numbers without zeros around them."""
    word = unicodedata.normalize("NFC", emotion.strip().lower())
    number = _NUMBER.fullmatch(word)
    return number[1] + number[2] if number else word


def _in_order(words: Iterable[str]) -> list[str]:
    """Distinct words sorted; numbers by their value."""
    distinct = set(words)
    if all(_NUMBER.fullmatch(word) for word in distinct):
        return sorted(distinct, key=int)
    return sorted(distinct)


def _log_classes(names: Sequence[str], order: Sequence[str], left_out: Mapping[str, int]) -> None:
    log.info("classes: %s", ", ".join(names))
    empty = [name for name in order if name not in names]
    if empty:
        log.warning("not learned, since they have no clip: %s", ", ".join(empty))
    for emotion, count in left_out.items():
        meant = _misspelt(emotion)
        hint = f" (is {meant!r} meant?)" if meant is not None else ""
        log.warning("left out: %s with the emotion %r%s", counted(count, "clip"), emotion, hint)
