"""The page shows the numbers of the run and its warnings, and escapes names."""

import base64
import hashlib
import json
import re
import shutil
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from featurize.atomic import write_json
from tests.pipeline.made_up import INIT

HOSTILE = "<script>alert(1)</script>"
SYNTHETIC = "this score means nothing about people"
DEPENDENT = "Speaker-dependent: the test speakers are also in the training data"
STALE = "these scores belong to another list of files"
LABELS = ["angry", "happy", "neutral", "sad"]
TEST_SPEAKERS = "Test speakers: UAR, accuracy, and recall per class"


def test_the_page_contains_numbers_and_protocol(full_sample: Any, full_page: Any) -> None:
    metrics = full_sample.metrics()
    for name in ("uar", "accuracy", "macro_f1"):
        assert f"{metrics[name]:.3f}" in full_page.text
    for expected in (
        "toy", "2 of 5", "native", "ab" * 32, "next fold", "best_uar_0.6100.pt", "3 train, 1 val, 2 test",
        "0.410 to 0.750", "guessing finds one in 4", "jackknife; 3 test speakers, 2 degrees of freedom",
    ):  # fmt: skip
        assert expected in full_page.text
    assert full_page.of("html") == [{"lang": "en"}]
    assert f"guessing scores {1 / 4:.3f}" in full_page.text
    assert full_page.stamps() == set()


def test_tables_agree_with_scikit_learn(full_sample: Any, full_page: Any) -> None:
    table = pd.read_csv(full_sample.reports / "predictions.csv", dtype=str)
    pair = table["true_label"], table["pred_label"]
    per_class = full_page.tables["Scores per class on the test split"][1:]
    expected = zip(*precision_recall_fscore_support(*pair, labels=LABELS), strict=True)
    for row, label, (precision, recall, f1, support) in zip(per_class, LABELS, expected, strict=False):
        numbers = [f"{precision:.3f}", f"{recall:.3f}", "0.250 to 0.875", f"{f1:.3f}", str(support)]
        assert row[:6] == [label, *numbers]
    uar, macro_f1 = balanced_accuracy_score(*pair), f1_score(*pair, average="macro")
    mean = ["0.543", f"{uar:.3f}", "0.410 to 0.750", f"{macro_f1:.3f}"]
    assert per_class[4][:6] == ["Mean", *mean, str(len(table))]
    confusion = full_page.tables["Test clips: rows are true classes, columns predicted ones"][1:]
    assert [[int(cell) for cell in row[1:]] for row in confusion] == confusion_matrix(
        *pair, labels=LABELS
    ).tolist()


def test_scores_across_corpora_are_shown_where_they_were_measured(sample: Any, full_page: Any) -> None:
    assert "#cross" not in {link.get("href") for link in full_page.of("a")}
    cells = [
        {
            **{
                "corpus": name,
                "within": name == "x",
                "n_clips": 9,
                "n_speakers": 3,
                "uar": uar,
                "accuracy": 0.5,
            },
            **{"uar_interval": [0.2, 0.8] if name == "x" else None, "uar_by_seed": [uar], "recall": {}},
        }
        for name, uar in (("x", 0.75), ("<y>", 0.5))
    ]
    row = {"how": "one-corpus", "trained_on": ["x"], "val_uar": 0.7, "cells": cells, "experiments": ["e"]}
    matrix = {"model": "network", "corpora": ["x", "<y>", "z"], "labels": LABELS, "seeds": [0], "rows": [row]}
    write_json(
        sample.reports / "cross" / "cross.json",
        matrix | {"protocols": ["as usual"], "failed": {"e2": HOSTILE}},
    )
    page = sample.page()
    assert "#cross" in {link.get("href") for link in page.of("a")}
    assert page.tables["Network, 4 classes, mean of 1 seed"] == [
        ["Trained on", "x", "<y>", "z", "Mean of unheard", "Validation"],
        ["x", "0.750*", "0.500", "–", "0.500", "0.700"],
    ]
    assert "0.200 to 0.800" in page.text
    assert "as usual" in page.text
    assert "cross-failed" in page.stamps()
    assert HOSTILE in page.text


def test_near_misses_and_votes_are_shown_where_they_are_known(full_page: Any, sample: Any) -> None:
    assert (
        "two most probable ones for 81\u00a0% of the clips and among three for 91\u00a0%." in full_page.text
    )
    assert "KL(votes ‖ prediction): 0.457 nats, the mean of 33 clips that have votes" in full_page.text
    sample.edit(top3=None)
    page = sample.page()
    assert "of the clips." in page.text
    assert "KL(votes" not in page.text


def test_the_concordance_is_shown_only_where_dimensions_are_predicted(full_page: Any, sample: Any) -> None:
    caption = "Concordance of predicted and true values on the test split"
    assert full_page.tables[caption][1:] == [
        ["valence", "0.625", "0.500 to 0.750", "79", "3"],
        ["dominance", "-0.250", "–", "4", "1"],
    ]
    assert "No interval for dominance: one speaker." in full_page.text
    page = sample.page()
    assert caption not in page.tables
    assert "#affect" not in {link["href"] for link in page.of("a")}


def test_corpus_speakers_and_rejects(full_sample: Any, full_page: Any) -> None:
    manifest = pd.read_csv(full_sample.data / "manifest.csv", dtype=str)
    corpus = {row[0]: row[1:] for row in full_page.tables["Clips in the manifest, by split and class"][1:]}
    assert corpus["Clips"] == ["120", "40", "80", "240"]
    assert corpus["Speakers"] == ["3", "1", "2", "6"]
    assert corpus["angry"][-1] == str((manifest["label"] == "angry").sum())
    speakers = full_page.tables[TEST_SPEAKERS][1:]
    assert sorted(row[0] for row in speakers) == ["ann", "eve"]
    assert [row[3] for row in speakers] == sorted(row[3] for row in speakers)
    rejects = full_page.tables["Clips that could not be used, by stage and reason"][1:]
    assert rejects == [["manifest", "empty", "2"], ["denoise", "non-finite", "1"]]
    assert "Left out by the label set: calm (9)." in full_page.text


def test_audio_by_class_counts_clips_and_not_their_copies(full_sample: Any, full_page: Any) -> None:
    manifest = pd.read_csv(full_sample.data / "manifest.csv", dtype=str)
    caption = next(
        caption for caption in full_page.tables if caption.startswith("Clips that became features")
    )
    rows = {row[0]: row[1:7] for row in full_page.tables[caption][1:]}
    rejected = manifest["label"][
        3
    ]  # the sample's denoise stage rejected this clip, its manifest stage two more
    for label in LABELS:
        clips = int((manifest["label"] == label).sum())
        expected = [
            str(clips),
            f"{clips * 0.5:.1f} s",
            "0.5 s",
            "25\u00a0%",
            "0",
            str(int(label == rejected)),
        ]
        assert rows[label] == expected
    assert rows["All"] == ["240", "2 min 0 s", "0.5 s", "25\u00a0%", "0", "3"]


def test_scores_of_a_speaker_and_of_a_gender(full_sample: Any, full_page: Any) -> None:
    predictions = pd.read_csv(full_sample.reports / "predictions.csv")
    by_gender = "Test clips by gender of the speaker: UAR, accuracy, and recall per class"
    for column, caption, first in (("speaker", TEST_SPEAKERS, 3), ("gender", by_gender, 2)):
        rows = full_page.tables[caption][1:]
        assert {row[0] for row in rows} == set(predictions[column])
        for row in rows:
            own = predictions[predictions[column] == row[0]]
            recall = own["correct"].groupby(own["true_label"]).mean()
            assert row[first] == f"{recall.mean():.3f}"
            assert row[first + 2 :] == [f"{recall[label]:.2f}" for label in LABELS]


def test_calibration_risk_noise_and_audit_are_shown(full_page: Any) -> None:
    calibration = next(table for name, table in full_page.tables.items() if name.startswith("Calibration"))
    assert calibration[1] == ["Expected calibration error (ECE)", "0.272", "0.031"]
    assert "(AURC) 0.162" in full_page.text
    noise = full_page.tables["Test clips under noise: rain & dogs"][1:]
    assert [row[0] for row in noise] == ["clean", "20", "0", "−5"]
    assert noise[3] == ["−5", "0.271", "0.271", "0.629", "80"]
    assert "240 clips checked, 239 of them by a fingerprint" in full_page.text
    audit = full_page.tables["Findings of the audit, the most severe first"][1:]
    assert [row[:3] for row in audit] == [
        ["Warning", "near identical", "train, test"],
        ["Note", "retake", "train, test"],
    ]


def test_every_mistake_is_one_and_the_surest_come_first(full_sample: Any, full_page: Any) -> None:
    predictions = pd.read_csv(full_sample.reports / "predictions.csv").set_index("clip_id")
    shown = [str(item["data-clip"]) for item in full_page.of("li") if "data-clip" in item]
    wrong = predictions[~predictions["correct"]]
    assert shown == wrong.sort_values("confidence", ascending=False).index[: len(shown)].tolist()
    assert len(shown) == len(full_page.of("audio")) == 12


@pytest.mark.parametrize("synthetic", [True, False])
@pytest.mark.parametrize("independent", [True, False])
def test_stamps_are_there_exactly_when_due(make_sample: Any, synthetic: bool, independent: bool) -> None:
    page = make_sample(synthetic=synthetic, speaker_independent=independent).page()
    assert (SYNTHETIC in page.text) is synthetic
    assert (DEPENDENT in page.text) is not independent
    assert STALE not in page.text
    assert len(page.stamps()) == synthetic + (not independent)


@pytest.mark.parametrize("independent", [True, False])
def test_confounding_of_speaker_and_label_is_stamped(make_sample: Any, independent: bool) -> None:
    sample = make_sample(
        confounding={"by_speaker": 0.96, "by_majority": 0.26}, speaker_independent=independent
    )
    page = sample.page()
    assert "confounded" in page.stamps()
    assert "The speaker alone gives 96\u00a0% of the labels" in page.text
    assert ("measure speaker recognition" in page.text) is not independent


def test_scores_that_are_not_to_be_trusted_are_stamped(make_sample: Any) -> None:
    sample = make_sample(files_sha256="cd" * 32, denoiser_heard_test_speakers=["toy/ann"])
    sample.add_everything_else()
    audit = json.loads((sample.data / "audit.json").read_text())
    audit["findings"].append(
        {"kind": "identical-bytes", "severity": "stop", "splits": [], "clips": [], "detail": "same"}
    )
    (sample.data / "audit.json").write_text(json.dumps(audit))
    sample.edit(checkpoint="another.pt")
    page = sample.page()
    assert STALE in page.text
    assert "The denoiser was trained on test speakers: toy/ann" in page.text
    assert page.stamps() == {"stale", "denoiser-overlap", "leak", "robustness"}


@pytest.mark.parametrize("split", ["test", "val"])
def test_a_start_that_knows_speakers_of_this_run_is_stamped(make_sample: Any, split: str) -> None:
    page = make_sample(init=INIT).page()
    assert page.stamps() == set()
    assert "checkpoint 12121212 of toy with frozen streams" in page.text
    assert INIT["sha256"] in page.text
    leaky = make_sample(init=INIT, **{f"init_heard_{split}_speakers": ["toy/ann"]}).page()
    assert leaky.stamps() == {"init-overlap"}
    assert {"test": "test speakers: toy/ann", "val": "validation speakers: toy/ann"}[split] in leaky.text
    assert ("Speaker-independentno" in leaky.text) is (split == "test")


def test_names_stay_text(make_sample: Any) -> None:
    labels = [HOSTILE, '"><img src=x onerror=alert(1)>', "$x^2$", "心{{ 7*7 }}"]
    speakers = [HOSTILE, "b&b", "'c'", "d", "e", "f"]
    clip_ids = [f"{HOSTILE}\"'/{number}" for number in range(240)]
    sample = make_sample(labels, speakers, clip_ids, corpus=HOSTILE, val=HOSTILE)
    sample.add_everything_else()
    sample.add_shards()
    sample.edit(checkpoint=HOSTILE + "\ud800", intervals_note=HOSTILE)
    page = sample.page()
    assert len(page.of("script")) == 1
    assert "alert" not in page.inline["script"]
    assert all(str(image["src"]).startswith("data:image/png") for image in page.of("img"))
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count(HOSTILE) >= 6
    assert "心{{ 7*7 }}" in page.text


def test_page_needs_no_network_and_runs_nothing_strange(full_sample: Any, full_page: Any) -> None:
    html = (full_sample.reports / "index.html").read_text(encoding="utf-8")
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html
    for _, attributes in full_page.tags:
        assert "style" not in attributes  # the policy would not let it through
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
        assert all("url(" not in (value or "") or "url(#" in (value or "") for value in attributes.values())
    policies = [
        str(meta["content"])
        for meta in full_page.of("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policies[0].split(";"))
    assert rules["default-src"] == "'none'"
    for kind in ("script", "style"):
        digest = hashlib.sha256(full_page.inline[kind].encode()).digest()
        assert rules[f"{kind}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_page_can_be_read_without_seeing_it(full_page: Any) -> None:
    ids = [attributes["id"] for _, attributes in full_page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    inner = {str(attributes["href"])[1:] for attributes in full_page.of("a")}
    assert inner <= set(ids)
    pictures = [svg for svg in full_page.of("svg") if svg.get("aria-hidden") != "true"]
    # Confusion, reliability, risk, speakers; UAR and ECE under noise; loss, UAR, learning rate; twelve waveforms.
    assert len(pictures) == 4 + 2 + 3 + 12
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)
    assert all(image["alt"] for image in full_page.of("img"))
    assert all("controls" in audio and audio["aria-label"] for audio in full_page.of("audio"))
    assert all(attributes.get("scope") in {"row", "col"} for attributes in full_page.of("th"))
    assert len(full_page.of("caption")) == len(full_page.of("table"))
    assert len(full_page.of("h1")) == len(full_page.of("main")) == 1


def test_what_a_run_does_not_have_is_said_to_be_missing(make_sample: Any) -> None:
    sample = make_sample()
    content = sample.metrics()
    none = {"recall": None, "f1": None, "support": 0}
    content["per_class"]["sad"] |= none
    content |= {"genders": [], "speakers": [], "intervals": None, "intervals_note": "no intervals: no names"}
    sample.edit(**content)
    shutil.rmtree(sample.reports / "training")
    (sample.data / "denoised/rejects.csv").unlink()
    page = sample.page()
    for said in (
        "no training curves", "No intervals: no names.", "no data/audit.json", "Run ser robustness",
        "data/features holds no shards", "does not give its speakers’ gender", "does not name its speakers",
    ):  # fmt: skip
        assert said in page.text
    sad = page.tables["Scores per class on the test split"][4]
    assert (sad[0], sad[2], sad[3], sad[4]) == ("sad", "–", "–", "0")
    assert page.stamps() == set()
    assert not page.of("audio")


def test_mistakes_without_their_sound_are_still_listed(sample: Any) -> None:
    page = sample.page()
    assert not page.of("audio")
    assert page.text.count("No sound: data/denoised and data/features do not hold this clip.") == 12


def test_makers_and_steps_are_shown_and_a_mixture_is_a_warning(make_sample: Any, full_page: Any) -> None:
    makers = [{"device": device, "versions": {"torch": "2"}, "code": "0.1.0"} for device in ("cpu", "tpu")]
    page = make_sample(
        made_by={"featurize": makers}, steps={"mfcc": "77"}, scored_with={"device": "npu"}
    ).page()
    for said in ("features made by 2 devices or versions (featurize: cpu, ser 0.1.0 | tpu", "mfcc 77", "npu"):
        assert said in page.text
        assert said not in full_page.text


def test_unusual_curves(sample: Any) -> None:
    folder = sample.reports / "training/plots/metrics"
    (folder / "train/loss.tsv").write_text("step\tloss\n0\tnan\n1\tinf\n2\t0.5\n")
    (folder / "val/uar.tsv").write_text("timestamp\tstep\tuar\n17\t0\t0.25\n")
    (folder / "val/loss.tsv").write_text("step\tloss\n0\tnan\n")
    (folder / "grad_norm.tsv").write_text("step\tgrad_norm\n0\t3.5\n1\t2.5\n")
    (folder / "train/lr.tsv").write_text("step\tlr\n")
    page = sample.page()
    assert "grad_norm" in page.text
    assert "Learning rate" not in page.text
    assert not any(re.search(r"\b(nan|inf)\b", str(svg.get("aria-label"))) for svg in page.of("svg"))
