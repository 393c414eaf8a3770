"""Corpora whose file names are codes, one declaration per corpus.

coded      reads them all
ravdess  emodb  tess  savee  emovo  cafe  aesdd  shemo  urdu  esd  jl_corpus  emov_db  subesco  banglaser  mesd  oreau
asvp_esd  mead  enterface
"""

from pipeline.corpora.by_name.aesdd import AESDD
from pipeline.corpora.by_name.asvp_esd import ASVP_ESD
from pipeline.corpora.by_name.banglaser import BANGLASER
from pipeline.corpora.by_name.cafe import CAFE
from pipeline.corpora.by_name.emodb import EMODB
from pipeline.corpora.by_name.emov_db import EMOV_DB
from pipeline.corpora.by_name.emovo import EMOVO
from pipeline.corpora.by_name.enterface import ENTERFACE
from pipeline.corpora.by_name.esd import ESD
from pipeline.corpora.by_name.jl_corpus import JL_CORPUS
from pipeline.corpora.by_name.mead import MEAD
from pipeline.corpora.by_name.mesd import MESD
from pipeline.corpora.by_name.oreau import OREAU
from pipeline.corpora.by_name.ravdess import RAVDESS
from pipeline.corpora.by_name.savee import SAVEE
from pipeline.corpora.by_name.shemo import SHEMO
from pipeline.corpora.by_name.subesco import SUBESCO
from pipeline.corpora.by_name.tess import TESS
from pipeline.corpora.by_name.urdu import URDU

CODED = (
    *(
        RAVDESS,
        EMODB,
        TESS,
        SAVEE,
        EMOVO,
        CAFE,
        AESDD,
        SHEMO,
        URDU,
        ESD,
        JL_CORPUS,
        EMOV_DB,
        SUBESCO,
        BANGLASER,
    ),
    *(MESD, OREAU, ASVP_ESD, MEAD, ENTERFACE),
)
"""Every one of them, in the order of `ser corpora`."""
