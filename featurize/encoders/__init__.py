"""Frames of frozen, pre-trained encoders of speech, with `transformers` (an extra of the installation).

encoder     what a clip's frames are: parameters, layers, pooling of frames, float16
families    Whisper and the wav2vec 2.0 family: from samples to hidden states
windows     clips that are longer than an encoder takes at once
hub         an encoder's files: in a folder, in the Hub's cache, or downloaded; their SHA-256
"""
