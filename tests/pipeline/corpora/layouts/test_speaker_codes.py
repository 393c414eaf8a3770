"""Speakers in the file names of known corpora."""

import pytest

from pipeline.corpora.layouts.speaker_codes import PATTERNS, reader_for, speaker_reader

EXAMPLES = {
    "aesdd": ("downloads/aesdd/disgust/d05 (4).wav", "4"),
    "ased": ("downloads/ased/02Fearful/f2-07-01-01-25.wav", "25"),
    "asvpesd": ("downloads/asvpesd/actor_36/03-01-09-01-06-36-02-02-01-39.wav", "36"),
    "cafe": ("downloads/cafe/CaFE_48k/Peur/Fort/08-P-2-1.wav", "08"),
    "casia": ("downloads/casia/wangzhe/neutral/239.wav", "wangzhe"),
    "cremad": ("downloads/cremad/AudioWAV/1001_IEO_NEU_XX.wav", "1001"),
    "emodb": ("downloads/emodb/wav/03a02Wb.wav", "03"),
    "emovdb": ("downloads/emovdb/jenie_Neutral/neutral_365-392_0388.wav", "jenie"),
    "emovo": ("downloads/emovo/f1/dis-f1-b1.wav", "f1"),
    "enterface": ("downloads/enterface/subject 11/disgust/sentence 5/s12_di_5.avi", "11"),
    "esd": ("downloads/esd/0018/Sad/0018_001387.wav", "0018"),
    "iemocap": ("downloads/Session1/sentences/wav/Ses01F_script02_1/Ses01F_script02_1_M016.wav", "01M"),
    "jlcorpus": ("downloads/jlcorpus/female1_concerned_6b_1.wav", "female1"),
    "mead": ("downloads/mead/M003/audio/angry/level_1/001.m4a", "M003"),
    "oreau": ("downloads/oreau/Oréau/m/sessc/36a09Ca.wav", "36"),
    "polish": ("downloads/polish/m3.a_nie_4.wav", "m3"),
    "ravdess": ("downloads/ravdess/Actor_12/03-01-06-01-02-01-12.wav", "12"),
    "savee": ("downloads/savee/JE_su07.wav", "JE"),
    "shemo": ("downloads/shemo/male/M27W01.wav", "M27"),
    "subesco": ("downloads/subesco/M_03_ILIAS_S_2_SAD_4.wav", "M03"),
    "tess": ("downloads/tess/OA_bite_neutral.wav", "OAF"),
    "turevdb": ("downloads/turevdb/Sound Source/Angry/1984_kz_gurbuz.wav", "1984"),
    "urdu": ("downloads/urdu/Sad/SM24_F31_S043.wav", "SM24"),
}


@pytest.mark.parametrize("corpus", EXAMPLES)
def test_a_speaker_is_read_from_a_path(corpus: str) -> None:
    path, speaker = EXAMPLES[corpus]
    reader = reader_for(corpus)
    assert reader is not None
    assert reader(path) == speaker
    assert reader("downloads/x/readme.wav") == ""


def test_other_corpora_have_no_reader() -> None:
    assert {*PATTERNS} <= {*EXAMPLES}
    assert reader_for("meld") is None


def test_groups_are_joined_and_none_means_all() -> None:
    assert speaker_reader(r"s(\d)x(\d)?")("s1x") == "1"
    assert speaker_reader(r"spk\d+")("a/spk12_3.wav") == "spk12"
