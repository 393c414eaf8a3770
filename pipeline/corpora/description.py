"""What `ser corpora` prints: a table of all published corpora, or all that is known of one."""

from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from featurize.decoders import walk_audio
from featurize.errors import CorpusError, counted
from pipeline.corpora.catalogue import PUBLISHED, find_published
from pipeline.corpora.facts import Facts
from pipeline.corpora.folder_names import composed
from pipeline.protocol.fold_sets import FoldSet, shared_speakers

MOST_LOOKED_AT = 200_000
"""Recordings below --root that are looked at."""
WIDE = 200
"""Columns of the table where no terminal limits them."""


def print_corpora(root: Path | None = None) -> None:
    """Print one row per corpus.

    Raises:
        CorpusError: `root` is not a folder.
    """
    table = Table(pad_edge=False)
    for column in ("corpus.name", "language", "speakers", "clips", "emotions", "licence", "folds", "link"):
        table.add_column(
            column, justify="right" if column in {"speakers", "clips"} else "left", overflow="fold"
        )
    if root is not None:
        table.add_column("found", justify="right")
    found = find_recordings(root) if root is not None else {}
    for name, corpus in PUBLISHED.items():
        facts = corpus.facts
        cells = [
            name,
            " ".join(facts.languages),
            f"{facts.speakers or ''}",
            clips_of(facts),
            ", ".join(facts.emotions),
        ]
        cells += [facts.licence, ", ".join(map(summarise_folds, facts.fold_sets)), facts.link]
        cells += [f"{found[name]:,}" if found.get(name) else "-"] if root is not None else []
        table.add_row(*map(escape, cells))
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)
    console.print(
        "Folds that share speakers are in capitals. `ser corpora NAME` describes one.", highlight=False
    )


def print_corpus(name: str, root: Path | None = None) -> None:
    """Print all that is known of a corpus.

    Raises:
        CorpusError: there is none of this name, or `root` is not a folder.
    """
    facts = find_published(name).facts
    folds = [describe_folds(each) for each in facts.fold_sets]
    lines = [
        ("", f"{facts.title}{f' ({facts.paper})' if facts.paper else ''}"),
        ("language", " ".join(facts.languages)),
        ("speakers, clips", f"{facts.speakers or '?'}, {clips_of(facts) or '?'}"),
        ("emotions", f"{', '.join(facts.emotions)} ({facts.standard})"),
        ("licence", facts.licence),
        ("link", facts.link),
        *(("layout", path) for path in facts.layout),
        *(("known mistakes", slip) for slip in facts.slips),
        *(("split.folds", each) for each in folds),
        ("run", f"dvc exp run -S corpus.name={name} -S corpus.root=/path/to/{name} -S labels.set=native"),
        *(("", hint) for hint in facts.hints),
    ]
    if root is not None:
        lines.append(("found", f"{counted(find_recordings(root).get(name, 0), 'recording')} in {root}"))
    console, before = Console(soft_wrap=True, highlight=False), ""
    for caption, text in lines:
        if text:
            console.print(escape(f"{caption if caption != before else '':<16}{text}"))
            before = caption


def clips_of(facts: Facts) -> str:
    """Published numbers of clips, in words."""
    return " or ".join(f"{number:,}" for number in facts.clips)


def summarise_folds(folds: FoldSet) -> str:
    """Name and number of folds, in capitals if they share speakers."""
    dependent = folds.admits_shared_speakers or shared_speakers(folds)
    return f"{folds.name.upper() if dependent else folds.name} {folds.number}"


def describe_folds(folds: FoldSet) -> str:
    """Name and number of folds, and whether they keep speakers apart: found by comparing speakers."""
    if not folds.test:
        apart = "SPEAKER-DEPENDENT" if folds.admits_shared_speakers else "checked when read"
    else:
        apart = "SPEAKER-DEPENDENT" if shared_speakers(folds) else "speaker-independent"
    return f"{folds.name}: {counted(folds.number, 'fold')} of {folds.source}, {apart}"


def find_recordings(root: Path) -> dict[str, int]:
    """Corpus → number of recordings below a folder that have its names; corpora with the same names are told apart no
    better than that.

    Raises:
        CorpusError: `root` is not a folder.
    """
    if not root.is_dir():
        raise CorpusError(f"--root: {root} is not a folder")
    found = dict.fromkeys(PUBLISHED, 0)
    above = root.absolute().as_posix()
    for path in islice(walk_audio(root), MOST_LOOKED_AT):
        text = composed(f"{above}/{path.with_suffix('')}")
        for name, corpus in PUBLISHED.items():
            found[name] += corpus.match(text) is not None
    return found
