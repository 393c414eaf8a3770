"""Bytes of a user's table → text: detection of the encoding, and of other file formats."""

import gzip
import io
import logging
import re
import zipfile
import zlib
from pathlib import Path

from featurize.containers.readable import LFS_POINTER
from featurize.errors import CorpusError

log = logging.getLogger(__name__)

MOST_BYTES = 1 << 30
"""Largest size of a table after unpacking."""

BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
SAVE = "save it as CSV in UTF-8"
FILES = (
    (b"\xd0\xcf\x11\xe0", f"an Excel workbook (.xls); open it and {SAVE}"),
    (b"%PDF", f"a PDF; {SAVE} from where the table was made"),
    (b"{\\rtf", f"a text document (RTF); {SAVE}"),
    (b"PAR1", f"a Parquet file; {SAVE}"),
    (b"SQLite format 3", f"a database; export the table, and {SAVE}"),
    (b"BZh", "compressed (bzip2); unpack it"),
    (b"\xfd7zXZ", "compressed (xz); unpack it"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd); unpack it"),
    (b"7z\xbc\xaf", "an archive (7z); unpack it"),
    (b"Rar!", "an archive (RAR); unpack it"),
    (b"RIFF", "a recording; give the table that lists the recordings"),
    (b"fLaC", "a recording; give the table that lists the recordings"),
    (b"OggS", "a recording; give the table that lists the recordings"),
    (LFS_POINTER, "a Git LFS pointer, not the table itself; run `git lfs pull`"),
)
JSON = (r"[{\[]\s*[\"{\[]", "JSON; save it as CSV, such as with pandas' to_csv")
TEXTS = (
    (r"<(!doctype html|html|head|body|table)\b", f"an HTML page; open it in a spreadsheet and {SAVE}"),
    (r"<\?xml", f"XML; open it in a spreadsheet and {SAVE}"),
    JSON,
)


def read_text(table: Path, *, json_too: bool = False) -> str:
    """Read a table as text: UTF-8, UTF-16 (with or without a byte order mark) or Windows-1252; gzip is unpacked.

    Args:
        table: the file.
        json_too: JSON is expected; otherwise it is refused.

    Raises:
        CorpusError: the file cannot be read, or is not text; the message names its format and the remedy.
    """
    try:
        if table.exists() and not (table.is_file() or table.is_dir()):
            raise CorpusError(f"corpus.root: {table} is a device or pipe, not a CSV")
        data = table.read_bytes()
    except FileNotFoundError as error:
        raise CorpusError(
            f"corpus.root: {table} does not exist; give the CSV that lists the recordings"
        ) from error
    except IsADirectoryError as error:
        raise CorpusError(
            f"corpus.root: {table} is a folder; give the CSV that lists the recordings"
        ) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise CorpusError(f"corpus.root: {table} cannot be read as a CSV: {why}") from error
    if data.startswith(b"\x1f\x8b"):
        data = _unpack(table, data)
    if (what := _foreign(data)) is not None:
        raise CorpusError(f"{table} is {what}")
    text = _decode(table, data).rstrip("\x1a\x00")  # the end-of-file mark of DOS
    for pattern, what in TEXTS:
        if (pattern, what) == JSON and json_too:
            continue
        if re.match(pattern, text.lstrip(), re.IGNORECASE):
            raise CorpusError(f"{table} is {what}")
    return text


def _unpack(table: Path, data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            unpacked = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(f"{table}: a damaged gzip file ({error}); copy it again") from error
    if len(unpacked) > MOST_BYTES:
        raise CorpusError(f"{table}: more than {MOST_BYTES >> 30} GiB after unpacking; not a table of clips")
    return unpacked


def _foreign(data: bytes) -> str | None:
    if data.startswith(b"PK\x03\x04"):
        return _archive(data)
    return next((what for magic, what in FILES if data.startswith(magic)), None)


def _archive(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        return "a damaged ZIP archive, or an Excel workbook cut short; copy it again"
    if any(name.startswith("xl/") for name in names):
        return f"an Excel workbook (.xlsx); open it and {SAVE}"
    if "content.xml" in names:
        return f"a LibreOffice document (.ods); open it and {SAVE}"
    return "a ZIP archive; unpack it and give the CSV"


def _decode(table: Path, data: bytes) -> str:
    encoding = next((name for bom, name in BOMS if data.startswith(bom)), None) or _unmarked(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8-sig" and _is_single_byte(data):
            return _windows(table, data, error)
        row = data.count(b"\n", 0, error.start) + 1
        name = encoding.removesuffix("-sig")
        raise CorpusError(f"{table}, row {row}: damaged, or not {name} text; save it as UTF-8") from error
    if text.count("\0") * 20 > len(text):
        raise CorpusError(f"{table}: zero bytes in it, so it is not text; {SAVE}")
    return text


def _unmarked(data: bytes) -> str:
    """Encoding of text without a byte order mark; in UTF-16, every second byte of an ASCII header is zero."""
    head = data[:64]
    half = len(head) // 2
    first, second = head[::2].count(0), head[1::2].count(0)
    if half and max(first, second) > 0.7 * half and min(first, second) == 0:
        return "utf-16-le" if second > first else "utf-16-be"
    return "utf-8-sig"


def _is_single_byte(data: bytes) -> bool:
    """Whether text that is not UTF-8 has a single-byte encoding, and is not damaged UTF-8 or binary data."""
    text = data.decode("utf-8", errors="replace")
    wrong = text.count("\ufffd")
    right = sum(character > "\x7f" for character in text) - wrong
    return right < wrong and not re.search(rb"[\x00-\x08\x0e-\x19\x7f]", data)


def _windows(table: Path, data: bytes, why: UnicodeDecodeError) -> str:
    row = data.count(b"\n", 0, why.start) + 1
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{table}, row {row}: neither UTF-8 nor Windows-1252; save it as UTF-8") from error
    (word,) = re.findall(r"[^\s,;|\"]*[^\x00-\x7f][^\s,;|\"]*", text)[:1]
    log.warning(
        "%s: not UTF-8, read as Windows-1252 (row %d: %s); save it as UTF-8 if that is misspelt",
        *(table, row, word),
    )
    return text
