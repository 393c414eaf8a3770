"""The built-in corpus, which is synthesised.

demo       the corpus
voices     its speakers, sentences and prosody
espeak     the espeak-ng library, called in a separate process
acoustics  vocal effort and background noise
"""
