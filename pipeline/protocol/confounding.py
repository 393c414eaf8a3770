"""How far speakers predict labels: where each speaker has an emotion of their own, a voice gives the label away."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, Field

STRONG = 0.25
"""Share of the majority guess's errors that knowing the speaker must avoid to be warned of: 0.25 of them is more than
folds or seeds move a score. Corpora whose actors all play every emotion are at or below 0, one with an emotion per
speaker near 1; between them lies the gradual case, where a quarter is as good a place as any."""

Share = Annotated[float, Field(ge=0, le=1)]


class Confounding(BaseModel, frozen=True, extra="forbid"):
    """Shares of the clips whose label is guessed right without listening."""

    by_speaker: Share
    """By the most frequent label of the same speaker's other clips; of several, each is as likely. A speaker's only
    clip is guessed by the most frequent label of all."""
    by_majority: Share
    """By the most frequent label of all clips."""

    @property
    def explained(self) -> float:
        """Share of the majority guess's errors that the speaker avoids (Goodman and Kruskal's lambda, leaving one
        clip out); negative where the speaker misleads, as in a corpus whose speakers all say every emotion as often.
        """
        errors = 1 - self.by_majority
        return (self.by_speaker - self.by_majority) / errors if errors else 0.0

    @property
    def is_strong(self) -> bool:
        """Whether a random split would measure speaker recognition."""
        return self.explained >= STRONG


def measure_confounding(clips: Iterable[tuple[str, str]]) -> Confounding | None:
    """Measure over clips, each (speaker, label); those with speaker "" are left out, and None if all are.

    A clip's own label is left out of its speaker's count: otherwise every speaker with one clip would seem to give the
    label away.
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
