"""Clean speech and noise, decoded once into two int16 arrays on disk, with an index of the clips in them.

Decoding FLAC for each example would take longer than the network; reading a memory map takes almost no time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from featurize.audio import dequantise, load_audio, quantise
from featurize.decoders import find_audio
from featurize.errors import CorpusError, SplitError
from featurize.snr import Samples, active_power
from recipes.compact_denoiser.params import HeldOut, SourceParams, SplitParams

COLUMNS = ["group", "path", "start", "length", "power"]


def find_files(name: str, source: SourceParams) -> Iterator[tuple[str, Path]]:
    """Audio files of a source with their group, `source/group`, in a stable order.

    Raises:
        CorpusError: `root` is not a folder or holds no audio file, or a path does not match `group`.
    """
    root = Path(source.root)
    setting = f"data.*.{name}.root"
    paths = find_audio(root, setting, "set it to the folder of its audio files", CorpusError)
    for path in paths:
        found = re.search(source.group, path.as_posix())
        if found is None:
            raise CorpusError(f"{name}: {root / path} does not match group {source.group!r}")
        yield f"{name}/{found.group(1)}", root / path


def build_cache(sources: dict[str, SourceParams], folder: Path, kind: str) -> pd.DataFrame:
    """Decode every file of the sources into `<kind>.npy` and `<kind>.csv` in folder; returns the index.

    Raises:
        CorpusError: as `find_files`.
        AudioError: a file cannot be used.
    """
    rows: list[tuple[str, str, int, int, float]] = []
    parts: list[NDArray[np.int16]] = []
    start = 0
    for name, source in sources.items():
        for group, path in find_files(name, source):
            waveform = load_audio(path)
            part, _ = quantise(waveform)
            relative = path.relative_to(source.root).as_posix()
            rows.append((group, f"{name}/{relative}", start, len(part), active_power(waveform.numpy())))
            parts.append(part)
            start += len(part)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{kind}.npy", np.concatenate(parts))
    index = pd.DataFrame(rows, columns=COLUMNS)
    index.to_csv(folder / f"{kind}.csv", index=False)
    return index


@dataclass(frozen=True)
class Bank:
    """The clips of one split: a table with the columns COLUMNS, and the memory map of all splits."""

    samples: NDArray[np.int16]
    clips: pd.DataFrame

    def __len__(self) -> int:
        return len(self.clips)

    @cached_property
    def power(self) -> NDArray[np.float64]:
        """Active power of each clip: (num_clips,)."""
        return self.clips["power"].to_numpy()

    @cached_property
    def rows_by_group(self) -> list[NDArray[np.intp]]:
        """Rows of each speaker or noise class."""
        return [np.asarray(rows) for rows in self.clips.groupby("group").indices.values()]

    @cached_property
    def _bounds(self) -> NDArray[np.int64]:
        return self.clips[["start", "length"]].to_numpy()

    def recording(self, row: int) -> NDArray[np.int16]:
        """The stored samples of a clip: (num_samples,), full scale 32,767."""
        start, length = (int(bound) for bound in self._bounds[row])
        return self.samples[start : start + length]

    def clip(self, row: int, length: int | None = None, rng: np.random.Generator | None = None) -> Samples:
        """A clip, or a random segment of it of at most `length`: (num_samples,) in [-1, 1]."""
        samples = self.recording(row)
        if length is not None and rng is not None and len(samples) > length:
            start = int(rng.integers(len(samples) - length + 1))
            samples = samples[start : start + length]
        waveform: Samples = dequantise(samples, 1.0).numpy()
        return waveform


def split_groups(
    groups: set[str], val: tuple[str, ...], test: tuple[str, ...], what: str
) -> dict[str, set[str]]:
    """Split groups into train, val and test, which are checked to be disjoint. Raises SplitError."""
    for name, wanted in (("val", val), ("test", test)):
        if missing := sorted(set(wanted) - groups):
            some = ", ".join(sorted(groups)[:6])
            raise SplitError(f"split.{name}: no {what} {missing[0]!r} in the data, which has {some} ...")
        if not wanted:
            raise SplitError(f"split.{name}: no {what} held out; name at least one")
    if both := sorted(set(val) & set(test)):
        raise SplitError(f"{what} {both[0]!r} is in split.val and in split.test")
    train = groups - set(val) - set(test)
    if not train:
        raise SplitError(f"too few {what}s: {len(groups)} in the data and all of them held out")
    return {"train": train, "val": set(val), "test": set(test)}


def open_banks(folder: Path, split: SplitParams) -> dict[str, tuple[Bank, Bank]]:
    """The cache as {split: (speech, noise)}; no speaker and no noise class is in two splits."""
    speech, noise = _open(folder, "speech", split, "speakers"), _open(folder, "noise", split, "noises")
    return {name: (speech[name], noise[name]) for name in speech}


def _open(folder: Path, kind: str, split: SplitParams, field: str) -> dict[str, Bank]:
    if not (folder / f"{kind}.csv").exists():
        raise CorpusError(f"{folder}: no cache of {kind}; run the cache stage first")
    index = pd.read_csv(folder / f"{kind}.csv", dtype={"group": str})
    samples = np.load(folder / f"{kind}.npy", mmap_mode="r")

    def names(held_out: HeldOut) -> tuple[str, ...]:
        return held_out.speakers if field == "speakers" else held_out.noises

    parts = split_groups(set(index["group"]), names(split.val), names(split.test), field.removesuffix("s"))
    return {
        name: Bank(samples, index[index["group"].isin(groups)].reset_index(drop=True))
        for name, groups in parts.items()
    }
