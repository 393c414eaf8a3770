"""EMO-DB: ten actors, seven emotions; letter 6 of a name is a German word's."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet

# Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral
LETTERS = {"W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness"}
LETTERS |= {"N": "neutral"}
WOMEN = ("08", "09", "13", "14", "16")
GENDERS = dict.fromkeys(("03", "10", "11", "12", "15"), "male") | dict.fromkeys(WOMEN, "female")

EMODB = CodedCorpus(
    "emodb",
    Facts(
        title="EMO-DB",
        paper='Burkhardt et al. 2005, "A database of German emotional speech"',
        languages=("de",),
        licence="CC BY 4.0",
        link="https://doi.org/10.5281/zenodo.17651657",
        clips=(535, 816),
        speakers=10,
        layout=("wav/03a01Fa.wav", "wav/03a01Nxx.wav (of the full corpus)"),
        slips=("the full corpus holds 281 more clips, recognised by fewer than 80 % of the raters",),
        fold_sets=(FoldSet.of("audeering", "audEERING", "12 14 15 16"),),
    ),
    (r"<speaker:\d\d><sentence:[a-z]\d\d><emotion>(?:[a-z]|[a-z]?xx)",),
    {"emotion": LETTERS},
    genders=GENDERS,
)
