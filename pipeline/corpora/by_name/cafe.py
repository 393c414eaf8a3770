"""CaFE: twelve actors from Quebec, six sentences in seven emotions and two intensities."""

from pipeline.corpora.by_name.coded import CodedCorpus, odd_and_even
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet

# colère, dégoût, joie, neutre, peur, surprise, tristesse
LETTERS = {
    "C": "angry",
    "D": "disgusted",
    "J": "happy",
    "N": "neutral",
    "P": "fearful",
    "S": "surprised",
    "T": "sad",
}

CAFE = CodedCorpus(
    "cafe",
    Facts(
        title="CaFE",
        paper="Gournay et al. 2018, doi:10.1145/3204949.3208121",
        languages=("fr",),
        licence="public; see its page",
        link="https://doi.org/10.5281/zenodo.1478765",
        clips=(936,),
        speakers=12,
        layout=("Peur/Fort/12-P-2-5.wav",),
        slips=("folder names have accents in either Unicode form: only the file names are read",),
        fold_sets=(FoldSet.of("emobox", "EmoBox", "01 07 08 10", "02 04 09 12", "03 05 06 11"),),
    ),
    (r"<speaker:\d\d>-<emotion>-<intensity>-<sentence:[1-6]>",),
    {"emotion": LETTERS, "intensity": {"0": "", "1": "weak", "2": "strong"}},
    genders=odd_and_even(12),
)
