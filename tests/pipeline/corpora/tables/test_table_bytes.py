"""Bytes of a table → text: encodings, and other file formats."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from featurize.errors import CorpusError
from pipeline.corpora.tables.table_bytes import read_text

TEXT = "file_path,emotion_code,speaker\nclips/Zoë.wav,fröhlich,Jörg\n"


def read(folder: Path, data: bytes) -> str:
    path = folder / "table.csv"
    path.write_bytes(data)
    return read_text(path).removeprefix("\ufeff")


def error_of(folder: Path, data: bytes) -> str:
    with pytest.raises(CorpusError) as error:
        read(folder, data)
    assert "\n" not in str(error.value)
    assert "table.csv" in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_every_encoding_gives_the_same_text(folder: Path, encoding: str) -> None:
    assert read(folder, TEXT.encode(encoding)) == TEXT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_guessed_encoding_is_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(folder, TEXT.encode("cp1252"))
    assert "read as Windows-1252 (row 2: clips/Zoë.wav)" in caplog.text
    caplog.clear()
    read(folder, TEXT.encode())
    assert caplog.text == ""


def test_damaged_utf_8_is_not_read_as_something_else(folder: Path) -> None:
    assert "row 3: damaged, or not utf-8" in error_of(folder, TEXT.encode() + b"\xff")
    assert "not utf-16" in error_of(folder, TEXT.encode("utf-16") + b"x")


def test_gzip_is_unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(TEXT.encode())
    assert read(folder, packed) == TEXT
    assert "damaged gzip" in error_of(folder, packed[:30])
    assert "damaged gzip" in error_of(folder, packed[:20] + b"xx" + packed[22:])
    monkeypatch.setattr("pipeline.corpora.tables.table_bytes.MOST_BYTES", 20)
    assert "after unpacking" in error_of(folder, packed)


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name in names:
            # Of a fixed date: the bytes are in the names of tests, which every test process has to agree on.
            out.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (archive("[Content_Types].xml", "xl/workbook.xml"), r"Excel workbook (.xlsx)"),
        (archive("mimetype", "content.xml"), "LibreOffice"),
        (archive("table.csv"), "ZIP archive; unpack"),
        (archive("xl/workbook.xml")[:40], "damaged ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "(.xls)"),
        (b"\n<!DOCTYPE html>\n<html><body>", "HTML"),
        (b"<table><tr><td>file", "HTML"),
        (b'<?xml version="1.0"?><Workbook/>', "XML"),
        (b'[{"path": "a.wav"}]', "JSON"),
        (b'{"path": "a.wav"}\n', "JSON"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"RIFF\x24\x00\x00\x00WAVE", "recording"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (bytes(range(256)), "not utf-8"),
        (b"path,label\n" + bytes(100), "not text"),
    ],
)
def test_other_file_formats_are_named(folder: Path, data: bytes, what: str) -> None:
    assert what in error_of(folder, data)
