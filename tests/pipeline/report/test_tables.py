"""Clips without speech are counted by class and split, whether they were kept or rejected."""

from typing import Any

import pandas as pd
import pytest

from pipeline.report.tables import Silence, uneven

CAPTION = "Clips in which no speech was found, by class and split"
WHY = "the network can then learn the class from the absence of speech"


def silent_clips(manifest: pd.DataFrame, shares: dict[str, float]) -> list[int]:
    """Numbers of the first clips of each class, as many as its share."""
    chosen: list[int] = []
    for label, share in shares.items():
        own = manifest.index[manifest["label"] == label]
        chosen += own[: round(share * len(own))].tolist()
    return chosen


@pytest.mark.parametrize(("shares", "why"), [({"sad": 0.3, "happy": 0.02}, True), (dict.fromkeys(
    ("angry", "happy", "neutral", "sad"), 0.1), False)])  # fmt: skip
def test_the_page_counts_them_and_says_why_it_matters(
    sample: Any, shares: dict[str, float], why: bool
) -> None:
    manifest = pd.read_csv(sample.data / "manifest.csv", dtype=str, keep_default_na=False)
    silent = silent_clips(manifest, shares)
    sample.add_shards(silent=silent)
    page = sample.page()
    rows = {row[0]: row[1:5] for row in page.tables[CAPTION][1:]}
    without = manifest.loc[silent]
    for label in (*sorted(set(manifest["label"])), "All"):
        own, lost = (
            table if label == "All" else table[table["label"] == label] for table in (manifest, without)
        )
        for place, split in enumerate(("train", "val", "test", None)):
            clips, lacking = (
                len(table if split is None else table[table["split"] == split]) for table in (own, lost)
            )
            assert rows[label][place] == f"{lacking} of {clips} ({lacking / clips:.0%})".replace(
                "%", "\u00a0%"
            )
    assert (WHY in page.text) is why
    assert ("The shares are alike in all classes" in page.text) is not why


def test_those_that_were_rejected_count_as_well(sample: Any) -> None:
    manifest = pd.read_csv(sample.data / "manifest.csv", dtype=str, keep_default_na=False)
    sample.add_shards()
    assert "None: speech was found in every clip." in sample.page().text
    clip = manifest.loc[0]
    (sample.data / "features" / "rejects.csv").write_text(
        f"clip_id,path,reason,detail\n{clip['clip_id']},a.wav,no-speech,a.wav: no speech found\n"
    )
    page = sample.page()
    rows = {row[0]: row[1:5] for row in page.tables[CAPTION][1:]}
    assert rows["All"][3].startswith("1 of ")
    assert rows[clip["label"]][("train", "val", "test").index(clip["split"])].startswith("1 of ")


def test_shares_that_differ_little_are_alike() -> None:
    def rows(*numbers: tuple[int, int]) -> list[Silence]:
        return [Silence(str(place), [pair]) for place, pair in enumerate(numbers)] + [
            Silence("All", [(1, 9)])
        ]

    found = uneven(rows((1, 100), (30, 100), (0, 0)))
    assert found is not None
    assert [row.label for row in found] == ["0", "1"]
    assert uneven(rows((1, 100), (4, 100))) is None
    assert uneven(rows((0, 0))) is None


def test_clips_without_agreement_have_a_row_of_their_own(sample: Any) -> None:
    path = sample.data / "manifest.csv"
    manifest = pd.read_csv(path, dtype=str, keep_default_na=False)
    manifest.loc[manifest.index[manifest["split"] == "train"][:7], "label"] = "no agreement"
    manifest.to_csv(path, index=False)
    protocol = {**sample.metrics()["protocol"], "no_agreement": "class"}
    sample.edit(protocol=protocol)
    page = sample.page()
    rows = {row[0]: row[1:] for row in page.tables["Clips in the manifest, by split and class"][1:]}
    assert rows["no agreement"] == ["7", "0", "0", "7"]
    assert "its output is dropped before the softmax" in page.text
