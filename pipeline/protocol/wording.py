"""Protocol cards in words, for people; no code parses these texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from model.network.normalisation import Normalisation, is_group
from pipeline.protocol.card import Card, DataCard, Scope, TrainingCard, differing_fields
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.origins import InitCard
from pipeline.protocol.provenance import Maker

CAPTIONS = {
    "corpus": "corpus",
    "corpora": "corpora",
    "files_sha256": "recordings (hash)",
    "label_set": "label set",
    "labels": "labels",
    "labels_of": "labels of",
    "min_agreement": "least agreement of raters",
    "no_agreement": "clips without agreement",
    "split": "split by",
    "folds": "folds",
    "fold": "fold",
    "speakers": "speakers of each split",
    "val": "validation data",
    "split_seed": "split seed",
    "clips_sha256": "clips of each split (hash)",
    "denoiser": "denoiser",
    "denoiser_sha256": "denoiser (hash)",
    "tier0_sha256": "Tier 0 (hash)",
    "steps": "version of step",
    "model": "model",
    "views": "views",
    "encoder": "encoder",
    "normalisation": "normalisation",
    "init": "started from",
}
"""Caption of each field by which cards are compared."""

NORMALISATIONS: dict[Normalisation, str] = {
    "global": "global: statistics of the train split",
    "clip": "clip: statistics of each clip",
    "speaker": "speaker (transductive): statistics of all clips of a test speaker",
    "corpus": "corpus (transductive): statistics of all test clips of a corpus",
}
"""Description of each normalisation."""


TRAINED_ON = {
    False: "the train split",
    True: "train and validation splits together, after every choice was made on validation",
}
"""What the scored classifier was trained on, by whether it was refitted."""


def describe(card: TrainingCard) -> str:
    """A card in one line: task, processing, seeds and code."""
    seeds = f"seed {card.split_seed} (split)"
    if card.seed is not None:
        seeds = f"seeds {card.split_seed} (split) and {card.seed} (training)"
    return (
        f"{describe_task(card)}, {describe_making(card)}, Tier 0 {card.tier0_sha256[:8]}, "
        f"{seeds}, ser {card.code}"
    )


def describe_task(card: DataCard, folds: str = "") -> str:
    """Recordings, classes and split in one line; `folds`, if given, replaces the card's fold."""
    synthetic = " (synthetic)" if card.synthetic else ""
    untested = len(card.untested_labels)
    classes = f"{len(card.labels)} classes{f' ({untested} WITHOUT TEST CLIPS)' if untested else ''}"
    task = [f"{card.corpus}{synthetic} {card.files_sha256[:8]}", classes, describe_labels(card)]
    split = [describe_independence(card), folds or describe_fold(card), describe_confounding(card)]
    return ", ".join(filter(None, task + split))


def describe_labels(card: Card) -> str:
    """Which labels were chosen, if not the corpus's standard ones; else empty."""
    agreement = f"agreement of at least {card.min_agreement:g}" if card.min_agreement else ""
    return ", ".join(filter(None, [card.labels_of if card.labels_of != "standard" else "", agreement]))


def describe_making(card: TrainingCard) -> str:
    """Model, normalisation, class in training alone, initial checkpoint and denoiser in one line."""
    baseline = f"BASELINE of {', '.join(card.views)}, " if card.model == "baseline" else ""
    seen = len(card.denoiser_heard_test_speakers)
    overlap = f" (TRAINED ON {seen} OF THE TEST SPEAKERS)" if seen else ""
    by = card.normalisation
    transductive = f"TRANSDUCTIVE (normalised by {by}), " if is_group(by) else ""
    started = ""
    if card.init is not None:
        heard = {"TEST": card.init_heard_test_speakers, "VALIDATION": card.init_heard_val_speakers}
        of = " AND ".join(f"{len(names)} OF THE {split}" for split, names in heard.items() if names)
        started = f"started from {describe_init(card.init)}{f' (TRAINED ON {of} SPEAKERS)' if of else ''}, "
    undecided = "no agreement as a class in training, " if card.no_agreement == "class" else ""
    return f"{baseline}{transductive}{undecided}{started}denoiser {card.denoiser}{overlap}"


def describe_init(init: InitCard) -> str:
    """The network that training started from, in a few words."""
    frozen = "" if init.frozen == "none" else f" with frozen {init.frozen}"
    return f"checkpoint {init.sha256[:8]} of {init.corpus}{frozen}"


def describe_leak(card: TrainingCard) -> str:
    """A warning if the network that training started from knew speakers of this run; else empty."""
    parts = []
    if names := card.init_heard_test_speakers:
        parts.append(
            f"trained or validated on test speakers ({short(names)}): the score is not of new speakers"
        )
    if names := card.init_heard_val_speakers:
        parts.append(
            f"trained on validation speakers ({short(names)}): it is not on new ones that epoch and "
            "temperature are chosen"
        )
    return f"the initial checkpoint was {'; and '.join(parts)}" if parts else ""


def describe_independence(card: Card) -> str:
    """Whether the test speakers are new to the network; in capitals where they are not."""
    return "speaker-independent" if card.tests_new_speakers else "SPEAKER-DEPENDENT"


def describe_confounding(card: Card) -> str:
    """A warning if the speaker alone predicts the label well; else empty."""
    found = card.confounding
    if found is None or not found.is_strong:
        return ""
    return (
        f"THE SPEAKER ALONE GIVES {found.by_speaker:.0%} OF THE LABELS (the majority {found.by_majority:.0%})"
    )


def describe_fold(card: Card) -> str:
    """Such as "fold 2 of 5", "fold 1 of EmoBox 6" or "emodb left out"; empty where there are no folds."""
    if card.folds is None:
        return ""
    if card.folds.kind == "corpus":
        return f"{card.corpora[card.fold - 1]} left out"
    if card.folds.kind == "one-corpus":
        return f"trained on {card.corpora[card.fold - 1]} alone"
    return f"fold {card.fold} of {describe_folds(card.folds)}"


def describe_folds(folds: FoldScheme | None) -> str:
    """Such as "5", "EmoBox 6" or "24 (one speaker each)"; "none" where there are none."""
    if folds is None:
        return "none"
    return {
        "dealt": f"{folds.number}",
        "published": f"{folds.publisher} {folds.number}",
        "loso": f"{folds.number} (one speaker each)",
        "session": f"{folds.number} (one session each)",
        "corpus": f"{folds.number} (one corpus left out in each)",
        "one-corpus": f"{folds.number} (trained on one corpus in each)",
    }[folds.kind]


def describe_mixture(card: DataCard) -> str:
    """A warning if several devices, versions or commits made the rows of one stage; else empty."""
    return "; ".join(
        f"features made by {len(makers)} devices or versions ({stage}: {describe_makers(makers)})"
        for stage, makers in card.made_by.items()
        if len(makers) > 1
    )


def describe_makers(makers: Sequence[Maker], among: Sequence[Maker] = ()) -> str:
    """Makers in words, with the package versions that differ between them (or between all makers in `among`)."""
    return " | ".join(describe_maker(maker, among or makers) for maker in makers)


def describe_maker(maker: Maker, among: Sequence[Maker] = ()) -> str:
    """Device and code of a maker, and the package versions in which it differs from makers in `among`."""
    versions = [
        f"{name} {version}"
        for name, version in maker.versions.items()
        if any(other.versions.get(name) != version for other in among)
    ]
    return ", ".join([maker.device, f"ser {maker.code}", *versions])


def word_differences(first: Card, second: Card, scope: Scope) -> list[tuple[str, str, str]]:
    """Caption and both values, in words, of the fields that two cards must share for this scope, but that differ."""
    found = []
    for name in differing_fields(first, second, scope):
        a, b = getattr(first, name), getattr(second, name)
        if name == "steps":
            found += [(f"{CAPTIONS[name]} {step}", short(x), short(y)) for step, x, y in differences(a, b)]
        else:
            found.append((CAPTIONS[name], short(a), short(b)))
    return found


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Dotted name and both values of all that differs between two nested mappings; None stands for a missing value."""
    found = []
    for key in dict.fromkeys((*first, *second)):
        a, b = first.get(key), second.get(key)
        if isinstance(a, Mapping) or isinstance(b, Mapping):
            inner = differences(a if isinstance(a, Mapping) else {}, b if isinstance(b, Mapping) else {})
            found += [(f"{key}.{name}", x, y) for name, x, y in inner]
        elif a != b:
            found.append((key, a, b))
    return found


def short(value: Any) -> str:
    """A value of a card as short text: hashes are cut, long lists are replaced by their length."""
    if isinstance(value, FoldScheme):
        return describe_folds(value)
    if isinstance(value, InitCard):
        return describe_init(value)
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{key} {short(item)}" for key, item in value.items()) + ")"
    if isinstance(value, list):
        return ", ".join(map(str, value)) if len(value) <= 8 else f"{len(value)} of them"
    text = "none" if value is None or value == "" else str(value)
    return text[:8] if len(text) == 64 else text
