"""From shards to the clips of one split, in the views that a network has."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurize.errors import TrainingError
from featurize.shards import Shard, list_shards
from model.batches import Features
from model.views import Clips, Encodings, View
from model.vote_shares import NO_AGREEMENT, read_votes


class SplitLoader:
    """The shards of a folder, from which the splits are loaded in the views that a network has.

    Args:
        data: folder of features/ and encodings/.
        labels: names in class order.
        views: of each clip.
        no_agreement: load clips without agreement as well, whose class follows those of the labels.

    Attributes:
        shards: the feature shards.
        encoding_shards: none without the view "encoder".
        encodings: what they hold; None without them.

    Raises:
        ShardError: there are no shards, or one is damaged.
        TrainingError: the encoding shards are of different encoders.
    """

    def __init__(
        self,
        data: Path,
        labels: Sequence[str],
        views: Sequence[View] = ("mfcc",),
        *,
        no_agreement: bool = False,
    ) -> None:
        self.labels, self.views, self.no_agreement = labels, views, no_agreement
        self.shards = list_shards(data / "features")
        self.encoding_shards: list[Path] = []
        self.encodings: Encodings | None = None
        if "encoder" in views:
            if not list((data / "encodings").glob("*.h5")):
                raise TrainingError(
                    f"{data / 'encodings'}: no shards, which the view encoder needs; set encode.model and run "
                    "`ser encode`"
                )
            self.encoding_shards = list_shards(data / "encodings")
            self.encodings = Encodings(self.encoding_shards)

    @property
    def encoding(self) -> tuple[int, int] | None:
        """Hidden states of an encoder's frame, and the values of each."""
        return self.encodings.shape if self.encodings else None

    def load(self, split: str) -> Features:
        """The clips of one split, as `load_features` has it."""
        return load_features(
            self.shards, self.labels, split, self.views, self.encodings, no_agreement=self.no_agreement
        )


def load_features(
    shards: Sequence[str | Path],
    labels: Sequence[str],
    split: str,
    views: Sequence[View] = ("mfcc",),
    encodings: Encodings | None = None,
    *,
    no_agreement: bool = False,
) -> Features:
    """The clips of one split ("train", "val" or "test"), in the order of the feature shards.

    Args:
        shards: files written by the featurize stage.
        labels: names in class order.
        split: rows of this split are loaded.
        views: of each clip.
        encodings: for the view "encoder". Augmented copies that are not encoded are left out.
        no_agreement: load clips without agreement as well, as class K; else they are left out.

    Raises:
        ShardError: a shard is damaged, see `Shard`.
        TrainingError: a shard does not hold MFCC, holds a label that is not in `labels`, or votes for one, or a clip is
            not encoded.
    """
    classes = {name: index for index, name in enumerate([*labels, *[NO_AGREEMENT] * no_agreement])}
    mfcc: list[NDArray[np.float32]] = []
    segments: list[NDArray[np.int64]] = []
    targets: list[int] = []
    columns: list[dict[str, NDArray[Any]]] = []
    for path in shards:
        shard = Shard(path)
        rows = _rows_of(shard, split, classes)
        if "encoder" in views:
            rows = _encoded(shard, rows, encodings)
        # As a plain array: slicing an np.memmap takes twenty times as long as slicing an array.
        mfcc.extend(np.asarray(shard.data(int(row))) for row in rows)
        segments.extend(shard.segments(int(row)) for row in rows)
        targets.extend(classes[name] for name in shard.columns["label"][rows].tolist())
        columns.append({name: values[rows] for name, values in shard.columns.items()})
    shared = [name for name in columns[0] if all(name in each for each in columns)] if columns else []
    merged = {name: np.concatenate([each[name] for each in columns]) for name in shared}
    of_view: dict[View, Clips] = {"mfcc": mfcc}
    if "encoder" in views and encodings is not None:
        of_view["encoder"] = encodings.clips(merged["sha256"].tolist(), segments)
    return Features(
        {view: of_view[view] for view in views},
        np.array(targets, dtype=np.int64),
        merged,
        votes=read_votes(merged["class_votes"].tolist(), labels) if "class_votes" in merged else None,
    )


def _rows_of(shard: Shard, split: str, classes: dict[str, int]) -> NDArray[np.int64]:
    if shard.kind != "mfcc":
        raise TrainingError(
            f"{shard.path}: holds {shard.kind}, not mfcc; pass the shards of the featurize stage"
        )
    of_split = shard.columns["split"] == split
    if NO_AGREEMENT not in classes:
        of_split &= shard.columns["label"] != NO_AGREEMENT
    rows = np.flatnonzero(of_split)
    unknown = sorted({str(name) for name in shard.columns["label"][rows]} - set(classes))
    if unknown:
        raise TrainingError(
            f"{shard.path}: label {unknown[0]!r} is not among {', '.join(classes)}; "
            "run manifest and featurize again"
        )
    return rows


def _encoded(shard: Shard, rows: NDArray[np.int64], encodings: Encodings | None) -> NDArray[np.int64]:
    """Those of the rows that are encoded; all originals must be."""
    columns = shard.columns
    sha256, original = columns["sha256"], columns.get("augmentation", np.full(len(shard), "")) == ""
    found = np.array([encodings is not None and sha256[row] in encodings for row in rows], dtype=np.bool_)
    if missing := [row for row in rows[~found] if original[row]]:
        raise TrainingError(
            f"{columns['clip_id'][missing[0]]}: one of {len(missing)} clips that are not encoded, which the view "
            "encoder needs; set encode.model and run `ser encode`"
        )
    return np.asarray(rows[found])
