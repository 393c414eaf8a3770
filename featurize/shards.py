"""The shard format: many clips of different lengths in one HDF5 file, mapped rather than copied when read.

    /<kind>             waveform int16 (sum N,) | mfcc float32 (sum T, C) | encoding float16 (sum T, L, D) | ...
    /offsets            int64 (rows + 1,)                     row i is [offsets[i], offsets[i + 1])
    /speech             int64 (sum S, 2)                      segments of speech, [start, end) in samples at 16 kHz
    /speech_offsets     int64 (rows + 1,)
    /input_speech       float16 (sum W,)                      before the denoiser, if it changed clips: the probability
    /input_speech_offsets   int64 (rows + 1,)                 of speech in each window of 512 samples
    /columns/<name>     (rows,)                               a field: UTF-8 text, float64, int64 or bool
    attributes          format, version, kind, checksum, and the provenance that the stage records

The checksum is the SHA-256 of every dataset's name, type, shape and bytes, and of the attributes.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from featurize.atomic import replacing
from featurize.errors import ShardError

FORMAT = "ser-shard"
VERSION = 1

Kind = Literal["waveform", "mfcc", "encoding", "functionals", "fingerprint"]
DTYPES: dict[Kind, str] = {"waveform": "<i2", "mfcc": "<f4", "encoding": "<f2"}
DTYPES |= {"functionals": "<f4", "fingerprint": "<u4"}
TEXT = h5py.string_dtype("utf-8")
Datasets = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Row:
    """One clip in a shard."""

    columns: dict[str, str | float | int | bool]
    """The manifest's fields and those that the stage adds; the same names in every row."""
    data: NDArray[Any]
    """What the shard's kind says: a waveform int16 (num_samples,), mfcc float32 (num_frames, n_mfcc), ..."""
    segments: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    """Speech as [start, end) in samples, (num_segments, 2)."""
    input_speech: NDArray[np.float16] = field(default_factory=lambda: np.zeros(0, np.float16))
    """Probabilities of speech before the denoiser, (num_windows,); empty for a clip that it has not changed."""


def write_shard(path: str | Path, kind: Kind, rows: Sequence[Row], attributes: dict[str, str]) -> None:
    """Write rows as one shard, whole or not at all.

    Raises:
        ValueError: no rows, or rows with different columns or shapes.
        SerError: the folder cannot be written to.
    """
    first = rows[0].data if rows else np.zeros(0)
    datasets = _small_datasets(rows)
    shape = (int(datasets["offsets"][-1]), *first.shape[1:])
    attributes = {**attributes, "format": FORMAT, "version": str(VERSION), "kind": kind}
    checksum = _checksum(datasets, attributes, kind, shape, (_of_type(row.data, kind) for row in rows))
    with replacing(path) as temporary, h5py.File(temporary, "w", libver="v110") as file:
        data = file.create_dataset(kind, shape, DTYPES[kind])
        for row, start in zip(rows, datasets["offsets"], strict=False):
            if len(row.data):  # row by row: the rows may be mapped, and need not be in memory together
                data[start : start + len(row.data)] = _of_type(row.data, kind)
        for name, values in datasets.items():
            file.create_dataset(name, data=values, dtype=TEXT if values.dtype.kind == "O" else None)
        file.attrs.update(sorted({**attributes, "checksum": checksum}.items()))


def _of_type(data: NDArray[Any], kind: Kind) -> NDArray[Any]:
    return np.ascontiguousarray(data, dtype=DTYPES[kind])


def _small_datasets(rows: Sequence[Row]) -> Datasets:
    """Everything but the data, rows end to end; keys are dataset names."""
    if not rows:
        raise ValueError("a shard needs at least one row")
    names = list(rows[0].columns)
    if any(list(row.columns) != names for row in rows):
        raise ValueError("rows have different columns")
    if any(row.data.shape[1:] != rows[0].data.shape[1:] for row in rows):
        raise ValueError("rows have different shapes")
    datasets = {
        "offsets": _offsets([len(row.data) for row in rows]),
        "speech": np.concatenate([np.asarray(row.segments, dtype="<i8").reshape(-1, 2) for row in rows]),
        "speech_offsets": _offsets([len(row.segments) for row in rows]),
    }
    if any(len(row.input_speech) for row in rows):
        datasets["input_speech"] = np.concatenate([row.input_speech for row in rows]).astype("<f2")
        datasets["input_speech_offsets"] = _offsets([len(row.input_speech) for row in rows])
    for name in names:
        column = np.asarray(values := [row.columns[name] for row in rows])
        datasets[f"columns/{name}"] = np.asarray(values, dtype=object) if column.dtype.kind == "U" else column
    return datasets


def _offsets(lengths: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype("<i8")


def _checksum(
    datasets: Datasets, attributes: dict[str, str], kind: str, shape: tuple[int, ...], data: Iterable[Any]
) -> str:
    """SHA-256 over everything; `data` is given in parts, which end to end have the shape `shape`."""
    digest = hashlib.sha256(json.dumps(attributes, sort_keys=True).encode())
    for name in sorted([*datasets, kind]):
        if name == kind:
            digest.update(f"{name} {DTYPES[kind]} {shape}".encode())  # type: ignore[index]
            for part in data:
                digest.update(part.data)
            continue
        values = datasets[name]
        is_text = values.dtype.kind == "O"
        digest.update(f"{name} {'text' if is_text else values.dtype.str} {values.shape}".encode())
        digest.update("\0".join(values).encode() if is_text else np.ascontiguousarray(values).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Columns:
    """A shard without its data: small, whatever the length of the clips."""

    kind: str
    columns: dict[str, NDArray[Any]]
    """Each (rows,)."""
    offsets: NDArray[np.int64]
    """(rows + 1,)."""
    attributes: dict[str, str]


def read_columns(file: BinaryIO, name: str) -> Columns:
    """Read a shard without its data, and without verifying its checksum.

    Raises:
        ShardError: damaged, or of another format or version.
    """
    try:
        with h5py.File(file, "r") as opened:
            datasets, stored = _read_small(opened)
    except Exception as error:  # on damaged files h5py raises almost any exception
        raise _damaged(name, error) from error
    return _as_columns(datasets, stored)


def _read_small(file: h5py.File) -> tuple[Datasets, dict[str, str]]:
    stored = {name: str(text) for name, text in file.attrs.items()}
    if stored.get("format") != FORMAT:
        raise ValueError("not a shard of this pipeline")
    if stored.get("version") != str(VERSION):
        raise ValueError(f"format version {stored.get('version')}, this program reads version {VERSION}")
    datasets = {f"columns/{name}": _column(dataset) for name, dataset in file["columns"].items()}
    names = {"offsets", "speech", "speech_offsets"} | {"input_speech", "input_speech_offsets"} & file.keys()
    return datasets | {name: file[name][()] for name in names}, stored


def _as_columns(datasets: Datasets, stored: dict[str, str]) -> Columns:
    columns = {n.removeprefix("columns/"): v for n, v in datasets.items() if n.startswith("columns/")}
    attributes = {k: v for k, v in stored.items() if k not in {"format", "version", "kind", "checksum"}}
    return Columns(stored["kind"], columns, datasets["offsets"], attributes)


def _damaged(name: str | Path, error: Exception) -> ShardError:
    what = " ".join(str(error).split())
    return ShardError(f"{name}: damaged shard ({what})", "delete it and run its stage again")


class Shard:
    """A shard, opened for reading: columns in memory, the data mapped.

    Args:
        path: file to open.
        verify: compare the content with the checksum, which reads the whole file once.

    Raises:
        ShardError: the file is missing, damaged, truncated, or of another format or version.
    """

    def __init__(self, path: str | Path, verify: bool = True) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise ShardError(f"{self.path}: no such shard", "run the stage that writes it")
        try:
            with h5py.File(self.path, "r") as file:
                datasets, stored = _read_small(file)
                self._data = self._map(file[stored["kind"]])
        except Exception as error:  # on damaged files h5py raises almost any exception
            raise _damaged(self.path, error) from error
        self.checksum = stored.pop("checksum", "")
        kind, data = stored["kind"], self._data
        if verify and _checksum(datasets, stored, kind, data.shape, [data]) != self.checksum:
            what = "content does not match its checksum"
            raise ShardError(f"{self.path}: {what}", "delete it and run its stage again")
        self.without_data = _as_columns(datasets, stored)
        self.columns, self.attributes = self.without_data.columns, self.without_data.attributes
        self.kind, self._offsets = kind, self.without_data.offsets
        self._segments, self._segment_offsets = datasets["speech"], datasets["speech_offsets"]
        self._input_speech = datasets.get("input_speech", np.zeros(0, np.float16))
        self._input_speech_offsets = datasets.get("input_speech_offsets", np.zeros_like(self._offsets))

    def _map(self, dataset: h5py.Dataset) -> NDArray[Any]:
        """Map a contiguous dataset: the array outlives the open file, and forked processes share it."""
        if dataset.size == 0:
            return np.zeros(dataset.shape, dataset.dtype)
        offset = dataset.id.get_offset()
        if offset is None:
            raise ValueError("data is not contiguous")
        return np.memmap(self.path, mode="r", dtype=dataset.dtype, shape=dataset.shape, offset=offset)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def data(self, row: int) -> NDArray[Any]:
        """A row's data, mapped: a waveform int16 (num_samples,), mfcc float32 (num_frames, n_mfcc), ..."""
        return self._data[self._offsets[row] : self._offsets[row + 1]]

    def segments(self, row: int) -> NDArray[np.int64]:
        """Segments of speech (num_segments, 2) of a row, [start, end) in samples."""
        return self._segments[self._segment_offsets[row] : self._segment_offsets[row + 1]]

    def input_speech(self, row: int) -> NDArray[np.float16]:
        """Probabilities of speech (num_windows,) before the denoiser; empty if it has not changed the clip."""
        return self._input_speech[self._input_speech_offsets[row] : self._input_speech_offsets[row + 1]]

    def fields(self, row: int) -> dict[str, Any]:
        """A row's columns as plain Python values."""
        return {
            name: values[row].item() if values.dtype.kind != "O" else values[row]
            for name, values in self.columns.items()
        }


def _column(dataset: h5py.Dataset) -> NDArray[Any]:
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    return np.asarray(dataset.asstr()[()], dtype=object) if is_text else np.asarray(dataset[()])


def list_shards(folder: str | Path) -> list[Path]:
    """The shards of a folder, sorted by name.

    Raises:
        ShardError: the folder holds none.
    """
    if not (found := sorted(Path(folder).glob("*.h5"))):
        raise ShardError(f"{folder}: no shards", "run the stage that writes them")
    return found
