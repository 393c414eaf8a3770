"""Fold sets: who is tested on in each fold, as published with a corpus or by a benchmark.

Whether a set keeps speakers apart is found by comparing speakers, not by what its publisher states. A set that does not
has a name that ends in "speaker-dependent", is never the default, and is stamped on every number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from featurize.errors import SplitError

SPEAKER_DEPENDENT = "speaker-dependent"


@dataclass(frozen=True)
class FoldSet:
    """Folds under a name."""

    name: str
    """Value of `split.folds` that chooses them."""
    source: str
    """Who published them, in short."""
    test: tuple[tuple[str, ...], ...] = ()
    """Test speakers of each fold; empty: there is one fold, the split that each clip carries."""
    val: tuple[tuple[str, ...], ...] = ()
    """Validation speakers of each fold; empty: they are chosen among the others."""

    @classmethod
    def of(cls, name: str, source: str, *test: str) -> Self:
        """A set from the test speakers of each fold in one text, with spaces between them."""
        return cls(name, source, tuple(tuple(fold.split()) for fold in test))

    @property
    def number(self) -> int:
        """Number of folds."""
        return len(self.test) or 1

    @property
    def admits_shared_speakers(self) -> bool:
        """Whether its name says that speakers are in several splits."""
        return self.name.endswith(SPEAKER_DEPENDENT)


def shared_speakers(folds: FoldSet) -> list[str]:
    """Speakers who are tested on in two folds, or tested on and validated on in one."""
    tested = [speaker for fold in folds.test for speaker in fold]
    twice = {speaker for speaker in tested if tested.count(speaker) > 1}
    for test, val in zip(folds.test, folds.val, strict=False):
        twice |= {*test} & {*val}
    return sorted(twice)


def leave_one_out(name: str, source: str, speakers: Sequence[str]) -> FoldSet:
    """A fold for each speaker."""
    return FoldSet(name, source, tuple((speaker,) for speaker in speakers))


def find_fold_set(folds: str | int, sets: Sequence[FoldSet]) -> FoldSet | None:
    """The set that `split.folds` names; None: folds are dealt.

    With `auto`, it is the first set that keeps speakers apart and tests on each of them, or divides all clips.

    Raises:
        SplitError: there is no set of this name.
    """
    if folds == "auto":
        whole = (each for each in sets if len(each.test) != 1)
        return next((each for each in whole if not each.admits_shared_speakers), None)
    if isinstance(folds, int) or folds in {"loso", "session"}:
        return None
    for each in sets:
        if each.name == folds:
            return each
    known = ", ".join(["auto", "a number", "loso", "session", *(each.name for each in sets)])
    raise SplitError(f"split.folds: this corpus has no folds {folds!r}; it takes {known}")
