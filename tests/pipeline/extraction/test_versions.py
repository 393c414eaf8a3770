"""If the VERSION of a step is raised, that step and all later ones are repeated, and no others."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from featurize.augment import AugmentParams
from featurize.denoise import DenoiseParams
from featurize.mfcc import MfccParams
from featurize.shards import Row, Shard, list_shards, write_shard
from featurize.vad import VadParams
from pipeline.extraction import augmented, loading, shard_writer
from pipeline.protocol.provenance import Maker
from pipeline.stages import denoise as denoise_stage
from pipeline.stages import featurize as featurize_stage

NUM_CLIPS = 4
COPIES = 2


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each step of Tier 0 has run."""
    found: Counter[str] = Counter()

    def count(module: Any, name: str, step: str) -> None:
        original: Callable[..., Any] = getattr(module, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            found[step] += 1
            return original(*arguments, **options)

        monkeypatch.setattr(module, name, counted)

    count(loading, "load_audio", "load")
    count(featurize_stage, "find_speech", "vad")
    count(featurize_stage, "mfcc_40", "mfcc")
    count(augmented, "augment", "augment")
    return found


def run(data: Path, copies: int = COPIES, mfcc: MfccParams | None = None) -> None:
    """Denoise and featurize."""
    reports = data / "reports"
    denoise_stage.denoise(DenoiseParams(), data, reports, 0.0)
    augment = AugmentParams(copies=copies, methods=("noise",))
    featurize_stage.featurize(VadParams(), mfcc or MfccParams(), data, reports, 0.0, augment)


def contents(data: Path) -> dict[str, list[bytes]]:
    """Data of every row."""
    return {
        kind: [
            shard.data(row).tobytes()
            for shard in map(Shard, list_shards(data / kind))
            for row in range(len(shard))
        ]
        for kind in ("denoised", "features")
    }


def segments(data: Path) -> list[list[list[int]]]:
    """Speech segments of every row of the features."""
    shards = map(Shard, list_shards(data / "features"))
    return [shard.segments(row).tolist() for shard in shards for row in range(len(shard))]


ROWS = NUM_CLIPS * (1 + COPIES)
ALL = {"load": NUM_CLIPS, "vad": NUM_CLIPS, "mfcc": ROWS, "augment": NUM_CLIPS * COPIES}


@pytest.mark.parametrize(
    ("module", "version", "redone"),
    [
        (denoise_stage, "LOAD_VERSION", ALL),
        (denoise_stage, "DENOISE_VERSION", ALL),
        (featurize_stage, "VAD_VERSION", ALL | {"load": 0}),
        (featurize_stage, "MFCC_VERSION", ALL | {"load": 0, "vad": 0}),
        (augmented, "VERSION", ALL | {"load": 0, "vad": 0, "mfcc": NUM_CLIPS * COPIES}),
    ],
)
def test_exactly_what_depends_on_a_version_is_done_anew(
    module: Any,
    version: str,
    redone: dict[str, int],
    noise_corpus: Any,
    tmp_path: Path,
    calls: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    noise_corpus(tmp_path, NUM_CLIPS)
    run(tmp_path)
    first = contents(tmp_path)
    assert calls == ALL
    calls.clear()
    run(tmp_path)
    assert calls == {}
    monkeypatch.setattr(module, version, "next")
    caplog.set_level("INFO")
    run(tmp_path)
    assert calls == {step: number for step, number in redone.items() if number}
    if module is not augmented:
        assert "made anew" in caplog.text
    assert contents(tmp_path) == first  # the arithmetic is what it was


def test_an_mfcc_parameter_costs_no_voice_activity_detection(
    noise_corpus: Any, tmp_path: Path, calls: Counter[str]
) -> None:
    noise_corpus(tmp_path, NUM_CLIPS)
    run(tmp_path, copies=0)
    calls.clear()
    run(tmp_path, copies=0, mfcc=MfccParams(n_mfcc=20))
    assert calls == {"mfcc": NUM_CLIPS}
    taken_over = segments(tmp_path)
    fresh = tmp_path / "fresh"
    noise_corpus(fresh, NUM_CLIPS)
    run(fresh, copies=0, mfcc=MfccParams(n_mfcc=20))
    assert taken_over == segments(fresh)


def test_shards_without_versions_are_made_anew_and_the_log_says_so(
    noise_corpus: Any, tmp_path: Path, calls: Counter[str], caplog: pytest.LogCaptureFixture
) -> None:
    noise_corpus(tmp_path, NUM_CLIPS)
    run(tmp_path)
    (path,) = list_shards(tmp_path / "denoised")
    shard = Shard(path)
    rows = [Row(shard.fields(row), shard.data(row)) for row in range(len(shard))]
    attributes = {name: text for name, text in shard.attributes.items() if not name.endswith("_step")}
    write_shard(path, "waveform", rows, attributes)
    calls.clear()
    with caplog.at_level("INFO"):
        run(tmp_path)
    assert calls["load"] == NUM_CLIPS
    assert "denoised: 1 shard was made with another load, denoise" in caplog.text


def stamps(data: Path, kind: str, column: str) -> list[str]:
    """Device of the maker of each row, as its shard says it."""
    found = []
    for shard in map(Shard, list_shards(data / kind)):
        makers = json.loads(shard.attributes["makers"])
        found += [makers[digest]["device"] for digest in shard.columns[column]]
    return found


def test_a_row_that_is_taken_over_keeps_what_made_it(
    noise_corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made_on(device: str) -> None:
        maker = Maker(device=device, versions={"torch": "1"}, code="1")
        monkeypatch.setattr(shard_writer, "this_maker", lambda _device: maker)

    table = noise_corpus(tmp_path, NUM_CLIPS)
    table[:2].to_csv(tmp_path / "manifest.csv", index=False)
    made_on("first machine")
    run(tmp_path)
    made_on("second machine")
    table.to_csv(tmp_path / "manifest.csv", index=False)
    run(tmp_path)
    expected = ["first machine"] * 2 + ["second machine"] * 2
    assert stamps(tmp_path, "denoised", "denoised_by") == expected
    with_copies = [machine for machine in expected for _ in range(1 + COPIES)]
    assert stamps(tmp_path, "features", "denoised_by") == with_copies
    assert stamps(tmp_path, "features", "featurized_by") == with_copies
    made_on("third machine")  # which only has to compute the cepstra again
    monkeypatch.setattr(featurize_stage, "MFCC_VERSION", "next")
    run(tmp_path)
    assert stamps(tmp_path, "features", "denoised_by") == with_copies
    assert stamps(tmp_path, "features", "featurized_by") == ["third machine"] * ROWS


def test_features_of_a_waveform_that_was_made_again_elsewhere_are_not_taken_over(
    noise_corpus: Any, tmp_path: Path, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise_corpus(tmp_path, NUM_CLIPS)
    run(tmp_path)
    for path in list_shards(tmp_path / "denoised"):
        path.unlink()
    maker = Maker(device="another", versions={}, code="1")
    monkeypatch.setattr(shard_writer, "this_maker", lambda _device: maker)
    calls.clear()
    run(tmp_path)
    assert calls == ALL
