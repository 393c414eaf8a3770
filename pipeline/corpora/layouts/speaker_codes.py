"""Speakers in the paths of known corpora, for lists that have no column of speakers.

Most corpora are those of `by_name`, whose codes are theirs; the others are here. Corpora whose paths do not say the
speaker (MELD, M3ED, MESD, MER2023...) have none.
"""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from pipeline.corpora.by_name import CODED
from pipeline.corpora.folder_names import composed

PATTERNS: dict[str, str] = {
    "ased": r"-(\d+)\.\w+$",  # 05Angry/a5-02-01-01-33.wav
    "casia": r"(\w+)/\w+/\d+\.\w+$",  # wangzhe/neutral/239.wav
    "cremad": r"(?:^|/)(1\d{3})_[A-Z]{3}_",  # 1001_IEO_NEU_XX.wav
    "iemocap": r"Ses(\d\d)[FM]_.*_([FM])\d+(?:\.\w+)?$",  # Ses01F_impro04_M013.wav: session, and who speaks
    "polish": r"(?:^|/)([fkm]\d+)[._]",  # m3.s_trzymaj_5.wav
    "turevdb": r"(?:^|/)(\d+)_",  # Calm/1984_sk_eger.wav
}
"""Name of a corpus in EmoBox → pattern that finds the speaker in a path."""

_CODED = {re.sub(r"\W|_", "", corpus.name): corpus for corpus in CODED}

KNOWN = (*sorted({*PATTERNS, *_CODED}),)
"""Names of the corpora whose paths name the speaker, in small letters and without signs."""

Reader = Callable[[str], str]
"""From a path to its speaker, or "" if it names none."""


def reader_for(corpus: str) -> Reader | None:
    """The reader of a corpus's speakers; None: its paths are not known to name them."""
    plain = re.sub(r"\W|_", "", corpus.lower())
    if plain in PATTERNS:
        return speaker_reader(PATTERNS[plain])
    if (coded := _CODED.get(plain)) is None:
        return None
    return lambda path: coded.speaker_of(composed(str(PurePosixPath(path).with_suffix(""))))


def speaker_reader(pattern: str) -> Reader:
    """A function that returns the speaker in a path: the groups of a pattern, joined, or all that it matches; else "".

    Raises:
        re.error: not a regular expression.
    """
    search = re.compile(pattern).search

    def read(path: str) -> str:
        if (match := search(path)) is None:
            return ""
        return "".join(group or "" for group in match.groups()) if match.re.groups else match[0]

    return read
