"""Coverage of 95 % intervals of the UAR in simulations: the jackknife over speakers and the usual bootstrap.

    python benchmarks/intervals.py [--worlds 2000]

Each simulated test split has a known true UAR, that of a population of speakers. The UAR of speakers has a standard
deviation of about 0.07, and the recalls of a speaker's classes one of 0.5 on the logit scale. Speakers are distributed
normally, or skewed: most are a little better than the mean, a few much worse. "balanced": each speaker has 8 clips of
each class. "unbalanced": 2 to 29 clips. "dominated": one speaker has ten times as many clips as the others. The
jackknife is that of model/scoring/intervals.py, on the logit scale and, for comparison, on the linear scale; the
bootstrap resamples whole speakers with replacement and takes percentiles. "recall" is the coverage of the jackknife for
the recall of the hardest and of the easiest class. With 2,000 simulations, two standard errors of a coverage are about
1 %.
"""

import argparse
import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from model.scoring.confusions import leave_each_out, score_confusions
from model.scoring.intervals import LEVEL, jackknife_error, score_interval, t_quantile

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

SPEAKERS = (3, 4, 6, 10, 24)
CLASSES = (4, 8)
SPREAD_OF_SPEAKERS = 0.3
SPREAD_OF_CLASSES = 0.5
"""Standard deviations on the logit scale."""
DRAWS = 500
CLIPS = 8
MANY = 400_000


def draw_recalls(
    rng: np.random.Generator, worlds: int, speakers: int, classes: int, *, skewed: bool
) -> Floats:
    """Recall of each class by each speaker, (worlds, speakers, classes)."""
    shape = (worlds, speakers)
    of_speaker = 1 - rng.exponential(size=shape) if skewed else rng.normal(size=shape)
    of_class = np.linspace(-0.6, 1.4, classes)
    of_both = SPREAD_OF_CLASSES * rng.normal(size=(*shape, classes))
    return expit(of_class + SPREAD_OF_SPEAKERS * of_speaker[..., None] + of_both)


def clips_of(rng: np.random.Generator, kind: str, speakers: int, classes: int) -> Counts:
    """Number of clips of each speaker and class, (speakers, classes)."""
    if kind == "unbalanced":
        return rng.integers(2, 30, (speakers, classes))
    clips = np.full((speakers, classes), CLIPS)
    if kind == "dominated":
        clips[0] *= 10
    return clips


def confusions_of(hits: Counts, clips: Counts) -> Counts:
    """Confusion matrices (..., K, K) from the correct predictions (..., K); errors are assigned to the next class."""
    classes = hits.shape[-1]
    k = np.arange(classes)
    confusion = np.zeros((*hits.shape, classes), dtype=np.int64)
    confusion[..., k, k], confusion[..., k, (k + 1) % classes] = hits, clips - hits
    return confusion


def bootstrap_interval(rng: np.random.Generator, hits: Counts, clips: Counts) -> tuple[Floats, Floats]:
    """Percentiles of the UAR over resampled speakers, (worlds,) each, from correct predictions (worlds, S, K)."""
    speakers = len(clips)
    weights = rng.multinomial(speakers, np.full(speakers, 1 / speakers), size=DRAWS)  # (draws, S)
    uar = np.stack([((weights @ hit) / (weights @ clips)).mean(axis=1) for hit in hits])  # (worlds, draws)
    low, high = np.quantile(uar, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return low, high


def measure(kind: str, speakers: int, classes: int, *, skewed: bool, worlds: int) -> list[float]:
    """Coverage of the logit jackknife, linear jackknife and bootstrap, width of first and last, coverage of recalls."""
    rng = np.random.default_rng(speakers)
    truth = draw_recalls(rng, 1, MANY, classes, skewed=skewed)[0].mean(axis=0)  # (K,)
    clips = clips_of(rng, kind, speakers, classes)
    hits = rng.binomial(clips, draw_recalls(rng, worlds, speakers, classes, skewed=skewed))
    confusions = confusions_of(hits, clips)
    every, without = (score_confusions(each) for each in (confusions.sum(axis=1), leave_each_out(confusions)))
    reach = t_quantile(speakers) * jackknife_error(without.uar)
    ours = score_interval(every.uar, without.uar)
    plain = every.uar - reach, every.uar + reach
    drawn = bootstrap_interval(rng, hits, clips)
    uar = truth.mean()
    coverages = [_held(ends, uar) for ends in (ours, plain, drawn)]
    widths = [float((ends[1] - ends[0]).mean()) for ends in (ours, drawn)]
    recalls = [
        _held(score_interval(every.recall[:, k], without.recall[:, :, k]), truth[k]) for k in (0, classes - 1)
    ]
    return [*coverages, *widths, *recalls]


def _held(ends: tuple[Floats, Floats], truth: float) -> float:
    return float(((ends[0] <= truth) & (truth <= ends[1])).mean())


def main() -> None:
    """Print a row for each kind of test split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--worlds", type=int, default=2000, help="number of simulations")
    worlds = parser.parse_args().worlds
    heads = ("logit", "plain", "bootstr.", "width", "w. boot.", "hardest", "easiest")
    print(f"{'':33}{'coverage of the UAR':27}{'':20}{'recall':>6}")
    print(
        f"{'clips':11}{'spread':7}{'classes':>7}{'speakers':>9}",
        *(f"{head:>8}" for head in heads),
        flush=True,
    )
    kinds = itertools.product(("balanced", "unbalanced", "dominated"), (False, True), CLASSES, SPEAKERS)
    for kind, skewed, classes, speakers in kinds:
        found = measure(kind, speakers, classes, skewed=skewed, worlds=worlds)
        row = f"{kind:11}{'skewed' if skewed else 'normal':7}{classes:7}{speakers:9}"
        print(row, *(f"{value:8.3f}" for value in found), flush=True)


if __name__ == "__main__":
    main()
