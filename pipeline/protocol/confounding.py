"""Confounding of speaker and label: how well the speaker alone predicts the label of a clip."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, Field

STRONG = 0.25
"""Value of `explained` from which a warning is given. Corpora in which each actor plays every emotion have values of
about 0 or below, a corpus with one emotion per speaker has about 1. Between them, 0.25 is a choice: more than scores
vary between folds or seeds."""

Share = Annotated[float, Field(ge=0, le=1)]


class Confounding(BaseModel, frozen=True, extra="forbid"):
    """Accuracy of predicting labels without the audio."""

    by_speaker: Share
    """Accuracy of the most frequent label of the speaker's other clips (a random one of equally frequent labels; for a
    speaker's only clip, the most frequent label of all clips)."""
    by_majority: Share
    """Accuracy of the most frequent label of all clips."""

    @property
    def explained(self) -> float:
        """Share of the errors of `by_majority` that knowing the speaker avoids: Goodman and Kruskal's lambda with one
        clip left out. It is negative if each speaker has every emotion equally often.
        """
        errors = 1 - self.by_majority
        return (self.by_speaker - self.by_majority) / errors if errors else 0.0

    @property
    def is_strong(self) -> bool:
        """Whether a random split would measure speaker recognition."""
        return self.explained >= STRONG


def measure_confounding(clips: Iterable[tuple[str, str]]) -> Confounding | None:
    """Measure over clips given as (speaker, label), without those of unknown speakers (""); None if all are unknown.

    Each clip is excluded from its speaker's counts; otherwise the label of a speaker with one clip would always be
    predicted correctly.
    """
    of_speaker: dict[str, Counter[str]] = defaultdict(Counter)
    for speaker, label in clips:
        if speaker:
            of_speaker[speaker][label] += 1
    if not of_speaker:
        return None
    overall: Counter[str] = Counter()
    for counts in of_speaker.values():
        overall.update(counts)
    majority = min(overall, key=lambda label: (-overall[label], label))
    right = 0.0
    for counts in of_speaker.values():
        if counts.total() == 1:
            right += majority in counts
            continue
        for label, number in counts.items():
            others = counts - Counter([label])
            top = max(others.values())
            tied = sum(count == top for count in others.values())
            right += number * (others[label] == top) / tied
    return Confounding(
        by_speaker=min(right / overall.total(), 1.0), by_majority=overall[majority] / overall.total()
    )
