"""Several corpora as one: the names of clips, speakers, sessions and sentences start with that of their corpus.

So a speaker "01" of one corpus is another person than "01" of the next, and splits, speaker statistics and intervals
keep them apart without further ado.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from featurize.errors import counted
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import Facts
from pipeline.protocol.labels import EmotionMap, plain_word

log = logging.getLogger(__name__)


class Member(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """One of several corpora."""

    name: str
    """As corpus.name."""
    root: Path | None = None
    """Below corpus.root, or absolute; null: as `alias`."""
    audio_root: Path | None = None
    """As corpus.audio_root."""
    alias: Annotated[str, Field(pattern=r"^[\w.-]*$")] = ""
    """What its clips and speakers are called by; empty: its name."""
    labels: EmotionMap = Field(default_factory=dict)
    """Emotion of this corpus -> emotion, before `labels` maps those of all corpora to classes."""

    @property
    def title(self) -> str:
        """What its clips and speakers are called by."""
        return self.alias or self.name


def _name_alone(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Members = list[Annotated[Member, BeforeValidator(_name_alone)]]
"""A member may be written as its name alone."""


def join(members: Sequence[tuple[Member, Corpus]]) -> Corpus:
    """The clips of all corpora, one corpus after the other."""
    corpora = [(member.title, _renamed(member, corpus)) for member, corpus in members]
    for title, corpus in corpora:
        log.info("%s: %s", title, counted(len(corpus.clips), "clip"))
    rated = [title for title, corpus in corpora if any(clip.valence is not None for clip in corpus.clips)]
    if len(rated) > 1:
        log.warning(
            "valence, arousal and dominance of %s are each on its own scale; bring them to one before they are trained",
            " and ".join(rated),
        )
    known = [(title, corpus.facts.licence) for title, corpus in corpora if corpus.facts.licence]
    return Corpus(
        name=" + ".join(title for title, _ in corpora),
        clips=[clip for _, corpus in corpora for clip in corpus.clips],
        emotions=tuple(dict.fromkeys(word for _, corpus in corpora for word in _emotions(corpus))),
        synthetic=any(corpus.synthetic for _, corpus in corpora),
        left_out=tuple(file for _, corpus in corpora for file in corpus.left_out),
        facts=Facts(licence="; ".join(f"{title}: {licence}" for title, licence in known)),
    )


def _renamed(member: Member, corpus: Corpus) -> Corpus:
    """The corpus under its title, with its emotions as `member.labels` has them."""
    map_of = {plain_word(word): emotion for word, emotion in member.labels.items()}
    unused = map_of.keys() - {plain_word(clip.emotion) for clip in corpus.clips}
    if unused:
        log.warning("corpus.members, %s: no clip has the emotion %s", member.title, ", ".join(sorted(unused)))
    return replace(
        corpus,
        clips=[_clip(clip, member.title, map_of) for clip in corpus.clips],
        emotions=tuple(_mapped(word, map_of) for word in corpus.emotions),
        left_out=tuple(
            replace(file, name=_retitled(file.name, member.title), kept=_retitled(file.kept, member.title))
            for file in corpus.left_out
        ),
    )


def _clip(clip: Clip, title: str, map_of: Mapping[str, str]) -> Clip:
    votes: dict[str, float] = {}
    for word, number in clip.votes.items():
        emotion = _mapped(word, map_of)
        votes[emotion] = votes.get(emotion, 0.0) + number
    return replace(
        clip,
        clip_id=_retitled(clip.clip_id, title),
        corpus=title,
        emotion=_mapped(clip.emotion, map_of),
        intended=_mapped(clip.intended, map_of),
        perceived=_mapped(clip.perceived, map_of),
        votes=votes,
        speaker=_prefixed(clip.speaker, title),
        session=_prefixed(clip.session, title),
        sentence=_prefixed(clip.sentence, title),
    )


def _prefixed(name: str, title: str) -> str:
    return f"{title}/{name}" if name else ""


def _retitled(name: str, title: str) -> str:
    """A name whose first part is that of the reader, with the title in its place."""
    return f"{title}/{name.partition('/')[2]}"


def _mapped(word: str, map_of: Mapping[str, str]) -> str:
    return map_of.get(plain_word(word), word)


def _emotions(corpus: Corpus) -> Sequence[str]:
    return corpus.emotions or sorted({clip.emotion for clip in corpus.clips} - {""})
