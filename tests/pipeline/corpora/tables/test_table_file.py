"""Text of a table → rows: all dialects give the same cells and row numbers."""

from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.tables.table_file import Row, read_rows


def rows_of(folder: Path, text: str) -> list[Row]:
    path = folder / "table.csv"
    path.write_bytes(text.encode())
    return read_rows(path)


@pytest.mark.parametrize(
    "text",
    [
        "path,label\na.wav,sad\nb.wav,happy\n",
        "path;label\na.wav;sad\nb.wav;happy\n",
        "path|label\na.wav|sad\nb.wav|happy\n",
        "path\tlabel\na.wav\tsad\nb.wav\thappy\n",
        "sep=;\r\npath;label\r\na.wav;sad\r\nb.wav;happy\r\n",
        '"sep=|"\npath|label\na.wav|sad\nb.wav|happy\n',
        "\ufeffsep=,\npath,label\na.wav,sad\nb.wav,happy\n",
        'path,label\n"a.wav,sad"\n"b.wav,happy"\n',
        '"path,label"\n"a.wav,sad"\n"b.wav,happy"\n',
        '"path,label",\n"a.wav,sad",\n"""b.wav"",happy",\n',
        "path,label,\na.wav,sad,\nb.wav,happy,\n",
        "path,label\na.wav,sad,,,\nb.wav,happy\n",
        "# made by pandas\n#, with; commas\npath,label\na.wav,sad\nb.wav,happy\n",
        "# path,label\na.wav,sad\nb.wav,happy\n",
        "#path;label\na.wav;sad\nb.wav;happy\n",
        'path,label,"notes; long; and more; so; many"\na.wav,sad,x\nb.wav,happy,y\n',
        "notes; of; two|path|label\n;;|a.wav|sad\n;;;;|b.wav|happy\n",
    ],
)
def test_every_dialect_gives_the_same_rows(tmp_path: Path, text: str) -> None:
    rows = rows_of(tmp_path, text)
    assert [row.cells for row in rows] == [
        {"path": "a.wav", "emotion": "sad"},
        {"path": "b.wav", "emotion": "happy"},
    ]


def test_row_numbers_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    assert [row.number for row in rows_of(tmp_path, "path,label\na,0\n\n\nb,1\n")] == [2, 5]
    assert [row.number for row in rows_of(tmp_path, "# one\n\n# three\npath,label\na,0\nb,1\n")] == [5, 6]
    assert [row.number for row in rows_of(tmp_path, "sep=;\npath;label\na;0\n")] == [2]
    assert [row.number for row in rows_of(tmp_path, 'path,label\n"a\nb",0\nc,1\n')] == [2, 3]


def test_decimal_commas_need_another_separator(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "path;label\na;0\n")[0].decimal_comma
    assert not rows_of(tmp_path, "path,label\na,0\n")[0].decimal_comma


def test_one_quoted_path_with_a_comma_is_not_taken_for_a_quoted_row(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'path,label\n"a,b.wav",\nc.wav,0\nd.wav,1\n')
    assert rows[0].cells == {"path": "a,b.wav", "emotion": ""}


def test_an_error_names_table_row_and_the_columns_own_name(tmp_path: Path) -> None:
    row = rows_of(tmp_path, "Audio File,Emo\na.wav,0\n")[0]
    assert str(row.error("path", "wrong")) == f"{tmp_path / 'table.csv'}, row 2, column Audio File: wrong"


@pytest.mark.parametrize(
    "text", ["sep=;\n", "# nothing\n", "#\n\n#\n", "sep=\r\n", 'sep="\npath,label\n"a,0\n']
)
def test_a_header_without_rows_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(CorpusError, match=r"table\.csv"):
        rows_of(tmp_path, text)
