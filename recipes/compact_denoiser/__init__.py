"""Trains the compact denoiser; see README.md.

cache        stage: folders of audio → the arrays that training reads
train        stage: the training loop
export       stage: the best checkpoint → a weights file with metadata
evaluate     stage: scores on held-out speakers and noise classes
card         stage: the model card
params       all parameters
stage        working folder and error messages of all stages
data         speech and noise in memory maps; the split by speaker and noise class
mixing       noisy training examples, each determined by its seed
network      Demucs with one layer, initialised as a filter bank
loss         L1, multi-resolution STFT and SDR; SI-SDR
"""
