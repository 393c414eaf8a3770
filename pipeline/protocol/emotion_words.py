"""Words of many corpora and languages for one emotion → one common English word.

So corpora can share classes: gioia, Freude, joy, hap and happiness are all happy. Words are in lower case and composed
Unicode form.
"""

COMMON_WORDS: dict[str, str] = {
    "angry": "anger ang angry annoyed wut ärger wütend rabbia arrabbiato colère colere enojo ira rabia enfado raiva "
    "kızgın öfke gniew złość woede boos злость гнев 生气 愤怒 怒り غصه خشم ghussa রাগ θυμός",
    "happy": "happiness hap happy joy joyful freude glücklich gioia felicità felicita joie heureux felicidad alegría "
    "alegria feliz mutlu mutluluk radość radosc vreugde blij радость счастье 快乐 高兴 喜び شادی খুশি χαρά",
    "neutral": "neu neutral neutrality neutro neutralità neutralita neutre neutralna neutraal neutralność nötr "
    "спокойствие нейтральность 中立 中性 平静 نرمال خنثی নিরপেক্ষ ουδέτερο",
    "sad": "sadness sad trauer traurig tristezza triste tristesse tristeza üzgün üzüntü smutek verdriet verdrietig "
    "грусть печаль 伤心 悲伤 悲しみ غم ناراحتی দুঃখ λύπη",
    "fearful": "fear fearful fea scared angst paura peur miedo medo korku strach страх 害怕 恐惧 恐れ ترس ভয় φόβος",
    "disgusted": "disgust disgusted dis ekel disgusto dégoût degout asco nojo iğrenme wstręt walging отвращение "
    "厌恶 嫌悪 نفرت ঘৃণা αηδία",
    "surprised": "surprise surprised sur pleasant_surprise pleasant_surprised ps überraschung ueberraschung sorpresa "
    "surpresa şaşkınlık zaskoczenie verrassing удивление 惊喜 惊讶 驚き تعجب বিস্ময় έκπληξη astonished",
    "excited": "excited excitement exc enthusiasm enthusiastic begeisterung entusiasmo энтузиазм",
    "calm": "calm calmness relaxed tranquillo calma sakin ruhig ruhe",
    "bored": "bored boredom langeweile noia ennui aburrimiento tédio",
    "anxious": "anxious anxiety nervous nervousness anxiété ansiedad ansia",
    "contemptuous": "contempt contemptuous con verachtung disprezzo mépris desprecio",
    "frustrated": "frustrated frustration fru",
    "amused": "amused amusement",
    "sleepy": "sleepy sleepiness",
    "guilty": "guilt guilty colpa",
}
"""Common word → words that mean it; every word stands once."""

COMMON = {word: common for common, words in COMMON_WORDS.items() for word in words.split()}
"""Word → common word. A space inside a word is written as _."""
