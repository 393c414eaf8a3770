"""Oréau: 32 French speakers, seven emotions."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts

# colère, tristesse, joie, peur, dégoût, surprise, neutre
LETTERS = {
    "C": "angry",
    "T": "sad",
    "J": "happy",
    "P": "fearful",
    "D": "disgusted",
    "S": "surprised",
    "N": "neutral",
}

OREAU = CodedCorpus(
    "oreau",
    Facts(
        title="Oréau",
        paper="doi:10.5281/zenodo.4405783",
        languages=("fr",),
        licence="public; see its page",
        link="https://doi.org/10.5281/zenodo.4405783",
        clips=(434,),
        speakers=32,
        layout=("f/sessj/10a02Ja.wav",),
        slips=("the accent in the folder's name is written as a character of its own: read in either form",),
    ),
    (r"(?:<gender>/(?:[^/]+/)?)?<speaker:\d\d><sentence:[a-z]\d\d><emotion>[a-z]",),
    {"emotion": LETTERS, "gender": {"f": "female", "m": "male", "h": "male"}},
)
