"""Speakers put into groups that are alike, as far as whole speakers can be: an even deal, improved by moves and swaps.

Groups are alike where each holds its share of the clips of every class, of all clips, of the speakers of every gender
and of all speakers. With due = share * total, the cost of a group that holds n is, over these four kinds of quantity,

    sum over kinds of the mean over the kind's quantities of ((n - due) / due)^2
        + price of a missing class, for each class of which the group holds no clip,

so that a rare class counts as much as a common one, and a class that could be in every group is. Scikit-learn's
StratifiedGroupKFold places speakers once, by class alone, and has no shares; here each start is improved until no
speaker's move to another group, and no exchange of two speakers, lowers the cost by `WORTHWHILE`.

Results depend on the arguments and on Python's `random` alone: neither on numpy nor on any library's version.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add, sub

WORTHWHILE = 1e-3
"""Least gain of a change: one kind of quantity, in one group, 3 % off its due. Groups that are as alike as that stay as
they were dealt, so that one damaged clip does not reshuffle a balanced corpus."""
TRIES = 50_000
"""Changes that are tried at most from each start: a second or two.
With thousands of speakers the start is even already."""

Quantity = tuple[str, str]
"""Kind and name, such as ("label", "sad")."""


@dataclass(frozen=True)
class Speaker:
    """A speaker as the balance sees one."""

    name: str
    gender: str
    """"" where unknown."""
    clips: Mapping[str, int]
    """Label to number of clips."""


@dataclass(frozen=True)
class Group:
    """What a group of speakers is due."""

    share: float
    """Of everything."""
    least: int = 1
    """Speakers that it keeps at least."""
    missing: float = 100.0
    """Price of a class of which it holds no clip."""


def balance(starts: Iterable[Sequence[Sequence[Speaker]]], groups: Sequence[Group]) -> list[list[Speaker]]:
    """The most alike groups that can be reached from any of the starts; between equals, from the first.

    Args:
        starts: each the same speakers in groups, at least `least` in each.
        groups: what each group is due; shares sum to 1.
    """
    reached = [_Deal(start, groups) for start in starts]
    for deal in reached:
        deal.improve()
    best = reached[0]
    for deal in reached[1:]:
        if deal.cost < best.cost - WORTHWHILE:
            best = deal
    return best.members


def one_by_one(speakers: Sequence[Speaker], groups: Sequence[Group]) -> list[list[Speaker]]:
    """A start: the speakers with the most clips first, each into the group that gains most.

    Args:
        speakers: in an order that decides between equals.
        groups: what each group is due.
    """
    deal = _Deal([[] for _ in groups], groups, speakers)
    ordered = sorted(speakers, key=lambda speaker: -sum(speaker.clips.values()))
    for number, speaker in enumerate(ordered):
        needy = [g for g, own in enumerate(deal.members) if len(own) < groups[g].least]
        wanted = sum(groups[g].least - len(deal.members[g]) for g in needy)
        among = needy if wanted >= len(ordered) - number else range(len(groups))
        deal.add(speaker, min(among, key=lambda g: (round(deal.price_of_adding(speaker, g), 9), g)))
    return deal.members


class _Deal:
    """Speakers in groups, and what that costs."""

    def __init__(
        self,
        members: Sequence[Sequence[Speaker]],
        groups: Sequence[Group],
        speakers: Sequence[Speaker] | None = None,
    ) -> None:
        everyone = speakers or [speaker for own in members for speaker in own]
        amounts = {speaker.name: _amounts(speaker) for speaker in everyone}
        quantities = sorted({quantity for own in amounts.values() for quantity in own})
        kinds = [kind for kind, _ in quantities]
        self._groups = groups
        self._holds = {
            name: [own.get(quantity, 0) for quantity in quantities] for name, own in amounts.items()
        }
        totals = [sum(column) for column in zip(*self._holds.values(), strict=True)]
        self._dues = [[group.share * total for total in totals] for group in groups]
        self._weights = [1 / kinds.count(kind) for kind in kinds]
        self._labels = [position for position, kind in enumerate(kinds) if kind == "label"]
        self._sums = [[0] * len(quantities) for _ in groups]
        self.members: list[list[Speaker]] = [[] for _ in groups]
        self._costs = [self._cost_of(g, held) for g, held in enumerate(self._sums)]
        self._tries = TRIES
        for g, own in enumerate(members):
            for speaker in own:
                self.add(speaker, g)

    @property
    def cost(self) -> float:
        return sum(self._costs)

    def add(self, speaker: Speaker, g: int) -> None:
        self.members[g].append(speaker)
        self._set(g, list(map(add, self._sums[g], self._holds[speaker.name])))

    def price_of_adding(self, speaker: Speaker, g: int) -> float:
        return self._cost_of(g, list(map(add, self._sums[g], self._holds[speaker.name]))) - self._costs[g]

    def improve(self) -> None:
        """For each speaker in turn, make the best change that is worth while, until there is none."""
        changed = True
        while changed and self._tries > 0:
            changed = False
            everyone = [speaker for own in self.members for speaker in own]
            for speaker in everyone:
                changed |= self._improve(speaker)

    def _improve(self, speaker: Speaker) -> bool:
        here = next(g for g, own in enumerate(self.members) if speaker in own)
        best: tuple[float, int, Speaker | None] | None = None
        for there, others in enumerate(self.members):
            if there == here:
                continue
            may_leave = len(self.members[here]) > self._groups[here].least
            for other in [*([None] if may_leave else []), *others]:
                gain = self._gain(speaker, here, other, there)
                if gain >= WORTHWHILE and (best is None or gain > best[0] + 1e-9):
                    best = gain, there, other
        if best is None:
            return False
        _, there, other = best
        self._move(speaker, here, there)
        if other is not None:
            self._move(other, there, here)
        return True

    def _gain(self, speaker: Speaker, here: int, other: Speaker | None, there: int) -> float:
        """What it would gain to move a speaker, in exchange for another one or for none."""
        self._tries -= 1
        if self._tries < 0:
            return 0.0
        moved = self._holds[speaker.name]
        if other is not None:
            moved = list(map(sub, moved, self._holds[other.name]))
        before = self._costs[here] + self._costs[there]
        after = self._cost_of(here, list(map(sub, self._sums[here], moved)))
        return before - after - self._cost_of(there, list(map(add, self._sums[there], moved)))

    def _move(self, speaker: Speaker, here: int, there: int) -> None:
        self.members[here].remove(speaker)
        self._set(here, list(map(sub, self._sums[here], self._holds[speaker.name])))
        self.add(speaker, there)

    def _set(self, g: int, held: list[int]) -> None:
        self._sums[g] = held
        self._costs[g] = self._cost_of(g, held)

    def _cost_of(self, g: int, held: Sequence[int]) -> float:
        dues, missing = self._dues[g], self._groups[g].missing
        cost = 0.0
        for n, due, weight in zip(held, dues, self._weights, strict=True):
            cost += weight * ((n - due) / due) ** 2
        return cost + missing * sum(held[label] == 0 for label in self._labels)


def _amounts(speaker: Speaker) -> dict[Quantity, int]:
    own = {("label", label): n for label, n in speaker.clips.items() if n}
    return own | {
        ("gender", speaker.gender): 1,
        ("clips", ""): sum(speaker.clips.values()),
        ("speakers", ""): 1,
    }
