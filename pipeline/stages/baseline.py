"""Stage `baseline`: functionals of one view into a linear classifier, scored as the network is."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from featurize.errors import counted
from model.baseline.baseline_params import BaselineParams
from model.baseline.choice import fit_baseline
from model.baseline.functionals import Examples, centre_groups, known_examples, make_examples
from model.batches import Features
from model.feature_splits import SplitLoader
from pipeline.extraction.engine import Engine, InProcess
from pipeline.extraction.opensmile_sets import clip_functionals, set_step
from pipeline.locations import make_folder
from pipeline.protocol.card import baseline_card
from pipeline.protocol.data_card import data_card, shared_provenance
from pipeline.protocol.manifest_summary import read_summary
from pipeline.protocol.origins import encoder_card
from pipeline.rejects import write_rejects
from pipeline.runs.evaluation import Evaluation
from pipeline.runs.scoring import score
from pipeline.runs.workspace import BASELINE
from pipeline.runs.writing import card_hash, load_test, write_run

log = logging.getLogger(__name__)

MakeExamples = Callable[[Features, str], Examples]
"""Functionals of the clips of a split, by its name, without augmented copies."""


def baseline(params: BaselineParams, data: Path, reports: Path, engine: Engine | None = None) -> Evaluation:
    """Fit the baseline on the originals of the train split, and score it on the test split of data/features/.

    Hidden states and penalty are chosen on the validation split; then the classifier is fitted again on train and
    validation together. Writes evaluation.json, metrics.json and predictions.csv to reports/baseline/. With a view of
    openSMILE, its functionals are computed first, by the engine, into data/functionals/.

    Raises:
        TrainingError: the view is not there, or cannot be trained on, or openSMILE is not installed.
        SplitError: the test split is empty.
        ShardError: a shard is missing or damaged, or the features were made from another manifest.
    """
    # What is not installed is said before any work.
    step = {"opensmile": set_step(params.opensmile)} if params.opensmile else {}
    summary = read_summary(data / "manifest.json")
    labels = summary.labels
    loader = SplitLoader(data, labels, [params.frames])
    made = shared_provenance(loader.shards)
    encoder = encoder_card(loader.encodings)
    protocol = baseline_card(data_card(summary, loader.shards, made, loader.encoding_shards), params, encoder)
    states = encoder.layers if encoder else []
    make = _maker(params, data, len(states) or 1, engine or InProcess())
    train, val = (_examples(make, loader.load(split), split, params) for split in ("train", "val"))
    fitted = fit_baseline(train, val, params, labels, states)
    log.info(
        "baseline: %s; C %g%s, validation UAR %.3f",
        counted(len(train.labels), "train clip"),
        fitted.choice.penalty,
        f", hidden states {', '.join(map(str, fitted.choice.states))}" if states else "",
        fitted.val_uar,
    )
    penalties = sorted(params.penalties)
    if len(penalties) > 1 and fitted.choice.penalty in (penalties[0], penalties[-1]):
        log.warning("the chosen C is at the end of baseline.penalties; others beyond it may be better")
    test = load_test(loader, data)
    logits = fitted.logits(_examples(make, test, "test", params).values)
    evaluation = Evaluation(
        **dict(score(test.labels, logits, fitted.temperature, labels, test.columns, test.votes)),
        temperature=fitted.temperature,
        checkpoint="",
        val_uar=fitted.val_uar,
        best_epoch=None,
        choice=fitted.choice,
        affect={},
        params={**made["tier0"], "baseline": params.model_dump(mode="json"), **step},
        protocol=protocol,
        card=card_hash(protocol),
    )
    write_run(reports / BASELINE, evaluation, test, logits)
    return evaluation


def _maker(params: BaselineParams, data: Path, num_states: int, engine: Engine) -> MakeExamples:
    """What makes functionals of the clips of a split; those of openSMILE are computed here, for all clips."""
    if params.opensmile:
        return partial(known_examples, values_of=clip_functionals(params.opensmile, data, engine))
    make_folder(data / "functionals")  # DVC expects this folder, and warns of an empty one
    write_rejects(data / "functionals" / "rejects.csv", [])
    return partial(make_examples, view=params.frames, names=params.functionals, num_states=num_states)


def _examples(make: MakeExamples, features: Features, split: str, params: BaselineParams) -> Examples:
    examples = make(features, split)
    by = params.normalisation
    if by == "global":
        return examples
    return centre_groups(examples, features.columns[by][features.original], by)
