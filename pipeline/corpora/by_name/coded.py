r"""Corpora whose file names are codes, such as 03a01Fa.wav: one declaration per corpus, one reader for all.

    EMODB = CodedCorpus("emodb", FACTS, (r"<speaker:\d\d><sentence:[a-z]\d\d><emotion>[a-z]",), {"emotion": WORDS})

A code is a regular expression of the end of a path without its ending, in composed Unicode form. In it,
`<speaker:...>` is a group, and `<emotion>` any code of the table of that name. Folders above the root belong to the
path, so a root that is one level too low is read as well.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from featurize.errors import counted
from pipeline.corpora.clip import Clip, LeftOut
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import Facts
from pipeline.corpora.folder_names import composed
from pipeline.corpora.recordings import audio_files, clip_ids, fail_to_find, one_per_name, refuse_pointers

log = logging.getLogger(__name__)

GENDERS = {"female": "female", "male": "male", "F": "female", "M": "male", "f": "female", "m": "male"}
Groups = dict[str, str]


def odd_and_even(last: int, odd: str = "male", width: int = 2) -> dict[str, str]:
    """Speaker → gender, for speakers numbered from 1 to `last` by turns."""
    even = "female" if odd == "male" else "male"
    return {f"{number:0{width}d}": odd if number % 2 else even for number in range(1, last + 1)}


@dataclass(frozen=True)
class CodedCorpus:
    """A corpus whose file names are codes."""

    name: str
    """Of the reader."""
    facts: Facts
    """What its publishers state; emotions, parts and standard are filled in."""
    codes: tuple[str, ...]
    """Codes of names, the first that fits is read; groups have the names of a clip's fields."""
    words: Mapping[str, Mapping[str, str]]
    """Group → what its codes mean."""
    genders: Mapping[str, str] = field(default_factory=dict)
    """Speaker → gender, where the name does not tell it."""
    ages: Mapping[str, str] = field(default_factory=dict)
    """Speaker → age."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Sentence → what is said."""
    speaker: str = "{speaker}"
    """How groups make the speaker."""
    sentence: str = "{sentence}"
    """How groups make the sentence."""
    skips: Mapping[str, str] = field(default_factory=dict)
    """Codes of names to skip → why."""
    doubles: tuple[tuple[str, str], ...] = ()
    """Names of a recording to skip, and of the same one to keep."""
    derive: Callable[[Groups], Groups] = lambda _: {}
    """Further fields of a clip from the groups of its name."""

    def __post_init__(self) -> None:
        """Fill in what the tables say: emotions, speakers; actors are asked for an emotion unless stated otherwise."""
        facts = replace(
            self.facts,
            emotions=tuple(dict.fromkeys(self.words["emotion"].values())),
            parts=self.facts.parts or tuple(sorted(self.genders)),
            standard=self.facts.standard or "intended",
        )
        object.__setattr__(self, "facts", facts)

    def read(self, root: Path) -> Corpus:
        """Read the recordings in a folder, at any depth and with any audio ending.

        Raises:
            CorpusError: the folder does not exist or holds no recording of this corpus, two different files have one
                name, or the files are Git LFS pointers.
        """
        above = root.absolute().as_posix()
        found: dict[PurePosixPath, re.Match[str]] = {}
        skipped: Counter[str] = Counter()
        for path in audio_files(root, self.name):
            text = composed(f"{above}/{path.with_suffix('')}")
            if (why := self._why_skip(composed(str(path.with_suffix(""))))) is not None:
                skipped[why] += 1
            elif (code := self.match(text)) is not None:
                found[path] = code
            else:
                skipped[f"no {self.facts.title} code as name"] += 1
        for why, count in skipped.items():
            log.warning("%s: %s skipped: %s", self.name, counted(count, "file"), why)
        if not found:
            fail_to_find(
                root, self.facts.title, self.facts.layout[0], lambda text: self.match(composed(text))
            )
        paths, same_name = one_per_name(root, found, self.name, lambda path: found[path][0].strip("/"))
        paths, known = self._without_doubles(paths)
        refuse_pointers(root, paths)
        names = clip_ids(self.name, paths)
        clips = [self._clip(name, root / path, found[path]) for name, path in zip(names, paths, strict=True)]
        return Corpus(self.name, clips, self.facts.emotions, left_out=(*same_name, *known), facts=self.facts)

    def match(self, text: str) -> re.Match[str] | None:
        """The code at the end of a path without its ending, or None."""
        return next((match for code in self._compiled if (match := code.search(text))), None)

    def speaker_of(self, text: str) -> str:
        """The speaker that a path without its ending names; empty if it has no code of this corpus."""
        return "" if (code := self.match(text)) is None else self._speaker(code.groupdict(default=""))

    def _speaker(self, groups: Groups) -> str:
        names = self.words.get("speaker", {})
        return self.speaker.format(
            **groups | {"speaker": names.get(groups.get("speaker", ""), groups.get("speaker", ""))}
        )

    @cached_property
    def _compiled(self) -> list[re.Pattern[str]]:
        return [re.compile(f"(?:^|/){self._expanded(code)}$") for code in self.codes]

    def _expanded(self, code: str) -> str:
        def group(token: re.Match[str]) -> str:
            known = sorted(self.words.get(token[1], ()), key=len, reverse=True)
            return f"(?P<{token[1]}>{token[2] or '|'.join(map(re.escape, known))})"

        return re.sub(r"(?<!\?P)<(\w+)(?::([^<>]+))?>", group, code)

    def _why_skip(self, text: str) -> str | None:
        return next((why for code, why in self.skips.items() if re.search(f"(?:^|/){code}$", text)), None)

    def _clip(self, clip_id: str, path: Path, code: re.Match[str]) -> Clip:
        groups = code.groupdict(default="")
        meant = {name: self.words.get(name, {}).get(text, text) for name, text in groups.items()}
        speaker = self._speaker(groups)
        if "speaker" in self.words:
            groups["speaker"] = meant["speaker"]
        sentence = self.sentence.format(**{"sentence": ""} | groups)
        languages = self.facts.languages
        known: dict[str, Any] = {
            "language": languages[0] if len(languages) == 1 else "",
            "age": self.ages.get(speaker, ""),
            "text": self.texts.get(sentence, ""),
            **{name: meant[name] for name in ("intensity", "session") if name in meant},
            **self.derive(groups),
            str(self.facts.standard): meant["emotion"],
        }
        gender = meant.get("gender") or self.genders.get(speaker, "")
        return Clip(clip_id, path, self.name, speaker, gender, meant["emotion"], sentence=sentence, **known)

    def _without_doubles(self, paths: Sequence[PurePosixPath]) -> tuple[list[PurePosixPath], list[LeftOut]]:
        of_name = {path.stem: path for path in paths}
        pairs = {
            of_name[drop]: of_name[keep] for drop, keep in self.doubles if {drop, keep} <= of_name.keys()
        }
        doubles = [
            LeftOut(f"{self.name}/{d}", f"{self.name}/{k}", "known duplicate") for d, k in pairs.items()
        ]
        return [path for path in paths if path not in pairs], doubles
