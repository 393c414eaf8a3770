"""Which emotion of a clip is its label, what was intended or what was heard, and how many raters stand behind it."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from featurize.errors import ParamsError, counted
from pipeline.corpora.clip import Clip
from pipeline.corpora.votes import share
from pipeline.protocol.labels import LabelParams

log = logging.getLogger(__name__)


class Chosen(NamedTuple):
    """The clips that have a label, and how many have none."""

    clips: list[Clip]
    """`emotion` and `agreement` are of the label."""
    unlabelled: int
    """Clips without an emotion of this kind, such as those that raters did not agree on."""
    low_agreement: int
    """Clips behind whose label too few raters stand, or nobody knows how many."""
    undecided: list[Clip]
    """Clips without a majority for an emotion, whose `emotion` is empty; none unless they are to be a class."""


def choose_labels(clips: Sequence[Clip], params: LabelParams) -> Chosen:
    """Take each clip's emotion from what `labels.of` names, and keep those with enough agreement.

    Raises:
        ParamsError: no clip of a corpus has an emotion of this kind, a corpus has no votes, or no corpus has clips
            without agreement that could be a class.
    """
    chosen = [_choose(name, own, params) for name, own in clips_by_corpus(clips).items()]
    undecided = [clip for each in chosen for clip in each.undecided]
    if params.no_agreement == "class" and not undecided:
        raise ParamsError("labels.no_agreement class: every clip of the corpus has a label; set it to drop")
    return Chosen(
        [clip for each in chosen for clip in each.clips],
        sum(each.unlabelled for each in chosen),
        sum(each.low_agreement for each in chosen),
        undecided,
    )


def clips_by_corpus(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    """The clips of each corpus, in their order."""
    found: dict[str, list[Clip]] = {}
    for clip in clips:
        found.setdefault(clip.corpus, []).append(clip)
    return found


def _choose(corpus: str, clips: Sequence[Clip], params: LabelParams) -> Chosen:
    every = [_labelled(clip, params) for clip in clips]
    labelled = [clip for clip in every if clip.emotion]
    if clips and not labelled and params.of != "standard":
        raise ParamsError(
            f"labels.of {params.of}: the corpus {corpus} does not say which emotion was {params.of}; use standard"
        )
    undecided = [clip for clip in every if not clip.emotion] if params.no_agreement == "class" else []
    unlabelled = len(clips) - len(labelled) - len(undecided)
    if unlabelled:
        log.warning(
            "left out: %s without a label, or without a majority for one", counted(unlabelled, "clip")
        )
    if not params.min_agreement:
        return Chosen(labelled, unlabelled, 0, undecided)
    if labelled and all(clip.agreement is None for clip in labelled):
        raise ParamsError(
            f"labels.min_agreement: the corpus {corpus} does not say how many raters agreed; set it to 0"
        )
    kept = [c for c in labelled if c.agreement is not None and c.agreement >= params.min_agreement - 1e-9]
    low = len(labelled) - len(kept)
    log.info("left out: %s with an agreement below %g", counted(low, "clip"), params.min_agreement)
    return Chosen(kept, unlabelled, low, undecided)


def _labelled(clip: Clip, params: LabelParams) -> Clip:
    emotion = clip.emotion if params.of == "standard" else getattr(clip, params.of)
    agreement = share(clip.votes, clip.raters, emotion)
    if agreement is None and emotion == clip.emotion:
        agreement = clip.agreement
    if (emotion, agreement) == (clip.emotion, clip.agreement):
        return clip
    return replace(clip, emotion=emotion, agreement=agreement)
