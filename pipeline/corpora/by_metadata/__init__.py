"""Corpora with metadata files, one file per corpus.

listed     finds the files of them all
iemocap  msp_podcast  msp_improv  crema_d  meld  nemo  emozionalmente  resd
"""

from pipeline.corpora.by_metadata.crema_d import CREMA_D
from pipeline.corpora.by_metadata.emozionalmente import EMOZIONALMENTE
from pipeline.corpora.by_metadata.iemocap import IEMOCAP
from pipeline.corpora.by_metadata.meld import MELD
from pipeline.corpora.by_metadata.msp_improv import MSP_IMPROV
from pipeline.corpora.by_metadata.msp_podcast import MSP_PODCAST
from pipeline.corpora.by_metadata.nemo import NEMO
from pipeline.corpora.by_metadata.resd import RESD

LISTED = (IEMOCAP, MSP_PODCAST, MSP_IMPROV, CREMA_D, MELD, NEMO, EMOZIONALMENTE, RESD)
"""Every one of them, in the order of `ser corpora`."""
