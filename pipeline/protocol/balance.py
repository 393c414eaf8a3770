"""Stratified grouping of speakers: a starting assignment of speakers to groups, improved by moves and swaps.

Groups are balanced if each holds its share of the clips of every class, of all clips, of the speakers of every gender,
of all speakers and, where there are several corpora, of the speakers of each. With target = share * total, the cost of
a group that holds n is, over these kinds of count,

    sum over kinds of the mean over the kind's counts of ((n - target) / target)^2
        + penalty for each class of which the group holds no clip,

so that a rare class has the same weight as a common one, and groups get every class if that is possible. Scikit-learn's
StratifiedGroupKFold assigns each speaker once, by class only, and supports no shares; here each starting assignment is
improved until no move of a speaker to another group and no swap of two speakers lowers the cost by `MIN_GAIN`.

Results depend on the arguments and on Python's `random` only, not on numpy or on the version of a library.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add, sub

MIN_GAIN = 1e-3
"""Smallest gain for which a change is made: one kind of count in one group 3 % off its target. Groups closer to balance
keep the starting assignment, so that one damaged clip does not reassign the speakers of a balanced corpus."""
TRIES = 50_000
"""Largest number of changes tried from each start: one or two seconds. With thousands of speakers the starting
assignment is already balanced."""

Quantity = tuple[str, str]
"""Kind and name of a count, such as ("label", "sad")."""


@dataclass(frozen=True)
class Speaker:
    """A speaker, with the counts that are balanced."""

    name: str
    gender: str
    """Empty if unknown."""
    clips: Mapping[str, int]
    """Label to number of clips."""
    corpus: str = ""
    """Empty where all speakers are of one corpus."""


@dataclass(frozen=True)
class Group:
    """The target of a group of speakers."""

    share: float
    """Share of all counts."""
    least: int = 1
    """Minimum number of speakers."""
    missing: float = 100.0
    """Penalty for a class of which the group holds no clip."""


def balance(starts: Iterable[Sequence[Sequence[Speaker]]], groups: Sequence[Group]) -> list[list[Speaker]]:
    """The best balanced groups reached from any of the starts; between equals, from the first.

    Args:
        starts: assignments of the same speakers to groups, at least `least` speakers in each.
        groups: target of each group; shares sum to 1.
    """
    reached = [_Assignment(start, groups) for start in starts]
    for assignment in reached:
        assignment.improve()
    best = reached[0]
    for assignment in reached[1:]:
        if assignment.cost < best.cost - MIN_GAIN:
            best = assignment
    return best.members


def assign_greedily(speakers: Sequence[Speaker], groups: Sequence[Group]) -> list[list[Speaker]]:
    """A starting assignment: speakers in order of their number of clips, each to the group where it costs least.

    Args:
        speakers: in an order that decides between equals.
        groups: target of each group.
    """
    assignment = _Assignment([[] for _ in groups], groups, speakers)
    ordered = sorted(speakers, key=lambda speaker: -sum(speaker.clips.values()))
    for number, speaker in enumerate(ordered):
        incomplete = [g for g, group in enumerate(assignment.members) if len(group) < groups[g].least]
        wanted = sum(groups[g].least - len(assignment.members[g]) for g in incomplete)
        candidates = incomplete if wanted >= len(ordered) - number else range(len(groups))
        assignment.add(
            speaker, min(candidates, key=lambda g: (round(assignment.cost_of_adding(speaker, g), 9), g))
        )
    return assignment.members


class _Assignment:
    """An assignment of speakers to groups, and its cost."""

    def __init__(
        self,
        members: Sequence[Sequence[Speaker]],
        groups: Sequence[Group],
        speakers: Sequence[Speaker] | None = None,
    ) -> None:
        everyone = speakers or [speaker for group in members for speaker in group]
        counts_by_speaker = {speaker.name: _count(speaker) for speaker in everyone}
        quantities = sorted({quantity for counts in counts_by_speaker.values() for quantity in counts})
        kinds = [kind for kind, _ in quantities]
        self._groups = groups
        self._counts_of = {
            name: [counts.get(quantity, 0) for quantity in quantities]
            for name, counts in counts_by_speaker.items()
        }
        totals = [sum(column) for column in zip(*self._counts_of.values(), strict=True)]
        self._targets = [[group.share * total for total in totals] for group in groups]
        self._weights = [1 / kinds.count(kind) for kind in kinds]
        self._labels = [position for position, kind in enumerate(kinds) if kind == "label"]
        self._sums = [[0] * len(quantities) for _ in groups]
        self.members: list[list[Speaker]] = [[] for _ in groups]
        self._costs = [self._cost_of(g, held) for g, held in enumerate(self._sums)]
        self._tries = TRIES
        for g, group in enumerate(members):
            for speaker in group:
                self.add(speaker, g)

    @property
    def cost(self) -> float:
        return sum(self._costs)

    def add(self, speaker: Speaker, g: int) -> None:
        self.members[g].append(speaker)
        self._set(g, list(map(add, self._sums[g], self._counts_of[speaker.name])))

    def cost_of_adding(self, speaker: Speaker, g: int) -> float:
        return self._cost_of(g, list(map(add, self._sums[g], self._counts_of[speaker.name]))) - self._costs[g]

    def improve(self) -> None:
        """For each speaker in turn, make the best change that gains `MIN_GAIN`, until there is none."""
        changed = True
        while changed and self._tries > 0:
            changed = False
            everyone = [speaker for group in self.members for speaker in group]
            for speaker in everyone:
                changed |= self._improve(speaker)

    def _improve(self, speaker: Speaker) -> bool:
        here = next(g for g, group in enumerate(self.members) if speaker in group)
        best: tuple[float, int, Speaker | None] | None = None
        for there, others in enumerate(self.members):
            if there == here:
                continue
            may_leave = len(self.members[here]) > self._groups[here].least
            for other in [*([None] if may_leave else []), *others]:
                gain = self._gain(speaker, here, other, there)
                if gain >= MIN_GAIN and (best is None or gain > best[0] + 1e-9):
                    best = gain, there, other
        if best is None:
            return False
        _, there, other = best
        self._move(speaker, here, there)
        if other is not None:
            self._move(other, there, here)
        return True

    def _gain(self, speaker: Speaker, here: int, other: Speaker | None, there: int) -> float:
        """The gain of moving a speaker to another group, in exchange for another speaker or none."""
        self._tries -= 1
        if self._tries < 0:
            return 0.0
        moved = self._counts_of[speaker.name]
        if other is not None:
            moved = list(map(sub, moved, self._counts_of[other.name]))
        before = self._costs[here] + self._costs[there]
        after = self._cost_of(here, list(map(sub, self._sums[here], moved)))
        return before - after - self._cost_of(there, list(map(add, self._sums[there], moved)))

    def _move(self, speaker: Speaker, here: int, there: int) -> None:
        self.members[here].remove(speaker)
        self._set(here, list(map(sub, self._sums[here], self._counts_of[speaker.name])))
        self.add(speaker, there)

    def _set(self, g: int, held: list[int]) -> None:
        self._sums[g] = held
        self._costs[g] = self._cost_of(g, held)

    def _cost_of(self, g: int, held: Sequence[int]) -> float:
        targets, missing = self._targets[g], self._groups[g].missing
        cost = 0.0
        for n, target, weight in zip(held, targets, self._weights, strict=True):
            cost += weight * ((n - target) / target) ** 2
        return cost + missing * sum(held[label] == 0 for label in self._labels)


def _count(speaker: Speaker) -> dict[Quantity, int]:
    counts = {("label", label): n for label, n in speaker.clips.items() if n}
    if speaker.corpus:
        counts["corpus", speaker.corpus] = 1
    return counts | {
        ("gender", speaker.gender): 1,
        ("clips", ""): sum(speaker.clips.values()),
        ("speakers", ""): 1,
    }
