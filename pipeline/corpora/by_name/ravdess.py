"""RAVDESS: speech of 24 actors in eight emotions; songs and videos are skipped."""

from pipeline.corpora.by_name.coded import CodedCorpus, odd_and_even
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet

WORDS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
# Ma et al. 2024, arXiv:2406.07162
EMOBOX = ("01 11 20 21", "04 10 12 14", "08 09 19 23", "03 05 07 24", "02 15 16 18", "06 13 17 22")
# Luna-Jimenez et al. 2021, doi:10.3390/s21227665
FIVE = ("02 05 14 15 16", "03 06 07 13 18", "10 11 12 19 20", "08 17 21 23 24", "01 04 09 22")

RAVDESS = CodedCorpus(
    "ravdess",
    Facts(
        title="RAVDESS",
        paper="Livingstone and Russo 2018, doi:10.1371/journal.pone.0196391",
        languages=("en",),
        licence="CC BY-NC-SA 4.0",
        link="https://doi.org/10.5281/zenodo.1188976",
        clips=(1440,),
        speakers=24,
        layout=("Actor_12/03-01-06-01-02-01-12.wav",),
        slips=(
            "03-01-03-01-02-02-07 is the recording of 03-01-03-01-02-01-07: left out",
            "five files are stereo",
        ),
        fold_sets=(
            FoldSet.of("emobox", "EmoBox", *EMOBOX),
            FoldSet.of("luna-jimenez", "Luna-Jimenez", *FIVE),
        ),
    ),
    (r"03-01-<emotion>-<intensity>-<sentence:0[12]>-0[12]-<speaker:0[1-9]|1\d|2[0-4]>",),
    {
        "emotion": {f"{n:02d}": word for n, word in enumerate(WORDS, 1)},
        "intensity": {"01": "normal", "02": "strong"},
    },
    genders=odd_and_even(24),
    texts={"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."},
    skips={r"0[12](-0[1-8]){5}-\d\d": "with video", r"03-02(-0[1-8]){4}-\d\d": "sung, not spoken"},
    doubles=(("03-01-03-01-02-02-07", "03-01-03-01-02-01-07"),),
)
