"""ShEMO: Persian radio plays, labelled by twelve listeners."""

from pipeline.corpora.by_name.coded import GENDERS, CodedCorpus
from pipeline.corpora.facts import Facts

LETTERS = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad", "W": "surprised", "F": "fearful"}

SHEMO = CodedCorpus(
    "shemo",
    Facts(
        title="ShEMO",
        paper="Nezami et al. 2019, doi:10.1007/s10579-018-9427-x",
        languages=("fa",),
        licence="free for research",
        link="https://github.com/mansourehk/ShEMO",
        clips=(3000, 2838),
        speakers=87,
        standard="perceived",
        layout=("female/F30A02.wav",),
        slips=("W stands for surprise",),
    ),
    (r"(?P<speaker><gender>\d\d)<emotion>\d+",),
    {"emotion": LETTERS, "gender": {"F": GENDERS["F"], "M": GENDERS["M"]}},
)
