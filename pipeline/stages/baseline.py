"""Stage `baseline`: functionals over time of one view into a linear classifier, scored as the network is."""

import logging
from pathlib import Path

from featurize.errors import counted
from model.baseline.baseline_params import BaselineParams
from model.baseline.choice import fit_baseline
from model.baseline.functionals import Examples, centre_speakers, make_examples
from model.batches import Features
from model.feature_splits import SplitLoader
from pipeline.protocol.card import baseline_card
from pipeline.protocol.data_card import data_card, shared_provenance
from pipeline.protocol.manifest_summary import read_summary
from pipeline.protocol.origins import encoder_card
from pipeline.runs.evaluation import Evaluation
from pipeline.runs.scoring import score
from pipeline.runs.workspace import BASELINE
from pipeline.runs.writing import card_hash, load_test, write_run

log = logging.getLogger(__name__)


def baseline(params: BaselineParams, data: Path, reports: Path) -> Evaluation:
    """Fit the baseline on the originals of the train split, and score it on the test split of data/features/.

    Hidden states and penalty are chosen on the validation split; then the classifier is fitted again on train and
    validation together. Writes evaluation.json, metrics.json and predictions.csv to reports/baseline/.

    Raises:
        TrainingError: the view is not there, or cannot be trained on.
        SplitError: the test split is empty.
        ShardError: a shard is missing or damaged, or the features were made from another manifest.
    """
    summary = read_summary(data / "manifest.json")
    labels = summary.labels
    loader = SplitLoader(data, labels, [params.view])
    made = shared_provenance(loader.shards)
    encoder = encoder_card(loader.encodings)
    protocol = baseline_card(data_card(summary, loader.shards, made, loader.encoding_shards), params, encoder)
    num_states, states = (len(encoder.layers), encoder.layers) if encoder else (1, [])
    train, val = (_examples(loader.load(split), split, params, num_states) for split in ("train", "val"))
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
    logits = fitted.logits(_examples(test, "test", params, num_states).values)
    evaluation = Evaluation(
        **dict(score(test.labels, logits, fitted.temperature, labels, test.columns)),
        temperature=fitted.temperature,
        checkpoint="",
        val_uar=fitted.val_uar,
        best_epoch=None,
        choice=fitted.choice,
        params={**made["tier0"], "baseline": params.model_dump(mode="json")},
        protocol=protocol,
        card=card_hash(protocol),
    )
    write_run(reports / BASELINE, evaluation, test, logits)
    return evaluation


def _examples(features: Features, split: str, params: BaselineParams, num_states: int) -> Examples:
    """The functionals of a split, without its copies."""
    examples = make_examples(features, split, params.view, params.functionals, num_states)
    if params.normalisation == "global":
        return examples
    return centre_speakers(examples, features.columns["speaker"][features.original])
