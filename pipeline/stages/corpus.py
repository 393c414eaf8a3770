"""Stage `corpus`: synthesise the demo corpus. All other corpora are read from their folders."""

import logging
from pathlib import Path

from featurize.errors import CorpusError, counted
from pipeline.corpora import CorpusParams
from pipeline.corpora.synthetic import demo

log = logging.getLogger(__name__)


def corpus(params: CorpusParams, out: Path) -> None:
    """Write the demo corpus to `out`; for any other corpus, leave `out` as an empty folder.

    Raises:
        CorpusError: corpus.root is another folder, espeak-ng is not available, or `out` holds other files.
    """
    if params.name != "demo":
        demo.clear(out)
        log.info("%s is read from %s; nothing to synthesise", params.name, params.root)
        return
    if params.root.resolve() != out.resolve():
        raise CorpusError(
            f"corpus.root: the demo corpus is made in {out}, not in {params.root}; set it to {out}"
        )
    truths = demo.make(params.demo, out)
    duration_s = sum(truth.leading_s + truth.speech_s + truth.trailing_s for truth in truths)
    clips, voices = counted(len(truths), "clip"), counted(len({truth.speaker for truth in truths}), "voice")
    log.info("demo corpus (synthetic): %s, %s, %.1f min", clips, voices, duration_s / 60)
