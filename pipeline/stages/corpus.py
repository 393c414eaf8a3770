"""Stage `corpus`: synthesise the demo corpus. Every other corpus is read where it lies."""

import logging
from pathlib import Path

from featurize.errors import CorpusError
from pipeline.corpora import CorpusParams, demo

log = logging.getLogger(__name__)


def corpus(params: CorpusParams, out: Path) -> None:
    """Make the demo corpus in `out`, or an empty folder there where another corpus is chosen.

    Raises:
        CorpusError: corpus.root points elsewhere, espeak-ng cannot be had, or `out` holds other files.
    """
    if params.name != "demo":
        demo.clear(out)
        log.info("%s is read from %s; nothing to make", params.name, params.root)
        return
    if params.root.resolve() != out.resolve():
        raise CorpusError(
            f"corpus.root: the demo corpus is made in {out}, not in {params.root}; set it to {out}"
        )
    truths = demo.make(params.demo, out)
    duration_s = sum(truth.leading_s + truth.speech_s + truth.trailing_s for truth in truths)
    voices = len({truth.speaker for truth in truths})
    log.info("demo corpus (synthetic): %d clips, %d voices, %.1f min", len(truths), voices, duration_s / 60)
