"""An audformat database, the form in which audb holds EMO-DB, CREMA-D, nEMO and others.

The label table is one with a column of emotions: one that is named a gold standard before others, one for each split
before one for all. Its other facts come from tables of the same files, and from the attributes of the labels of their
schemes: the gender of a speaker, the words of a sentence.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from featurize.errors import CorpusError, counted
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.layouts.audformat_tables import Cells, Database, Table, read_header, read_table
from pipeline.corpora.layouts.places import find_place
from pipeline.corpora.layouts.records import rows_of
from pipeline.corpora.layouts.split_sets import split_of_name
from pipeline.corpora.tables.table_clips import SPLIT_NAMES, corpus_of_rows
from pipeline.corpora.tables.table_columns import NAMES, plain
from pipeline.corpora.tables.table_file import Row

log = logging.getLogger(__name__)

INDEX = ("file", "start", "end")
FIELDS = (
    *("speaker", "gender", "age", "language", "sentence", "text", "session"),
    *("valence", "arousal", "dominance", "intensity", "intended", "perceived", "agreement"),
)
"""Fields that the tables of a file may add."""


def read(root: Path, audio_root: Path | None = None) -> Corpus:
    """Read a database.

    Args:
        root: its folder, or the file of the label table in it, to choose between several.
        audio_root: folder of the media, if they are elsewhere.

    Raises:
        CorpusError: there is no db.yaml, a table cannot be read, or none has emotions; or as in `corpus_of_rows`.
    """
    folder = find_place(
        root, lambda each: (each / "db.yaml").is_file(), "db.yaml, the header of an audformat database"
    )
    rows = rows_of_database(folder, root)
    return corpus_of_rows(folder / "db.yaml", rows, audio_root or folder, "audformat")


def rows_of_database(folder: Path, root: Path) -> list[Row]:
    """The rows of a database with all that its tables say of each clip.

    Args:
        folder: with db.yaml.
        root: the same, or the file of the label table in it.

    Raises:
        CorpusError: a table cannot be read, or none has emotions.
    """
    database = read_header(folder)
    return _rows(database, _label_tables(database, root))


def _label_tables(database: Database, root: Path) -> dict[str, str]:
    """Label table → its column of emotions."""
    found = {}
    for table in database.block("tables"):
        columns = database.columns(table)
        names = {plain(column): column for column in columns}
        column = next((names[name] for name in NAMES["emotion"] if name in names), None)
        column = column or next(
            (name for name, scheme in columns.items() if plain(scheme) == "emotion"), None
        )
        if column is not None:
            found[table] = column
    named = re.fullmatch(r"db\.(.+)\.(parquet|csv)", root.name) if root.is_file() else None
    if named is not None and named[1] in found:
        return {named[1]: found[named[1]]}
    if not found:
        tables = ", ".join(database.block("tables"))
        raise CorpusError(
            f"{database.folder}: no table has a column of emotions; there are {tables or 'none'}"
        )
    groups: dict[str, dict[str, str]] = defaultdict(dict)  # tables that differ in the split alone
    for table, column in found.items():
        groups[_without_split(database, table)][table] = column
    best = min(groups, key=lambda name: ("gold" not in name, len(groups[name]) < 2, name))
    others = [table for name in groups if name != best for table in groups[name]]
    if others:
        log.info("%s: labels of %s; not of %s", database.folder, ", ".join(groups[best]), ", ".join(others))
    return groups[best]


def _without_split(database: Database, table: str) -> str:
    words = [word for word in re.split(r"[.\-_]", table) if word.lower() not in SPLIT_NAMES]
    return ".".join(words) if _split_of(database, table) else table


def _split_of(database: Database, table: str) -> str:
    """The split of a table: the one that the header gives it, else the one in its name."""
    split = str(database.block("tables").get(table, {}).get("split_id") or "")
    kind = str(database.block("splits").get(split, {}).get("type") or split)
    return SPLIT_NAMES.get(kind.lower(), "") or split_of_name(table)


def _rows(database: Database, chosen: Mapping[str, str]) -> list[Row]:
    tables = {name: read_table(database, name) for name in chosen}
    more = _others(database, [name for name in database.block("tables") if name not in chosen])
    rows = []
    for name, table in tables.items():
        file = next(iter(database.folder.glob(f"db.{name}.*")))
        split = _split_of(database, name)
        own = _columns(database, name)
        records = []
        for cells in table.rows:
            facts = {**more.get(_key(cells)[:1], {}), **more.get(_key(cells), {}), **_facts(cells, own)}
            record = [cells.get(each, "") for each in INDEX] + [cells.get(chosen[name], ""), split]
            records.append(record + [facts.get(field, "") for field in FIELDS])
        if table.rows and "file" not in table.rows[0]:
            raise CorpusError(f"{file}: no index column file")
        if records:
            rows += rows_of(file, [*INDEX, "emotion", "split", *FIELDS], records)
    if not rows:
        raise CorpusError(f"{database.folder}: no rows in {', '.join(chosen)}")
    return rows


def _key(cells: Cells) -> tuple[str, ...]:
    return tuple(cells[name] for name in INDEX if name in cells)


def _others(database: Database, names: Sequence[str]) -> dict[tuple[str, ...], Cells]:
    """Index → facts of the other tables that are there; the first that has a fact gives it."""
    found: dict[tuple[str, ...], Cells] = defaultdict(dict)
    absent = []
    for name in names:
        if not (columns := _columns(database, name)):
            continue
        try:
            table: Table = read_table(database, name)
        except CorpusError:
            absent.append(name)
            continue
        for cells in table.rows:
            facts = found[_key(cells)]
            facts.update({key: text for key, text in _facts(cells, columns).items() if key not in facts})
    if absent:
        log.warning("%s: %s not there: %s", database.folder, counted(len(absent), "table"), ", ".join(absent))
    return found


Columns = dict[str, tuple[str, dict[str, Cells]]]
"""Column → its field, and the attributes of the labels of its scheme."""


def _columns(database: Database, table: str) -> Columns:
    """The columns of a table that are facts of a clip, by their names or those of their schemes."""
    found: Columns = {}
    taken = set()
    for column, scheme in database.columns(table).items():
        field = _field(column) or _field(scheme)
        if field and field not in taken:
            taken.add(field)
            labels = database.labels(scheme)
            found[column] = ("sentence" if field == "text" and labels else field, labels)
    return found


def _field(name: str) -> str:
    return next((field for field in FIELDS if plain(name) in NAMES[field]), "")


def _facts(cells: Cells, columns: Columns) -> Cells:
    facts: Cells = {}
    for column, (field, labels) in columns.items():
        if not (value := cells.get(column, "")):
            continue
        facts[field] = value
        for name, text in labels.get(value, {}).items():
            about = "text" if field == "sentence" and name == "" else _field(name)
            if about and text:
                facts.setdefault(about, text)
    return facts
