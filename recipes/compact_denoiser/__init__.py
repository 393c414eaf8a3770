"""Trains the compact denoiser; README.md says how, and what the shipped weights went through.

cache        stage: folders of audio → the arrays that training reads
train        stage: the loop
export       stage: the best checkpoint → a weights file that describes itself
evaluate     stage: figures on held-out speakers and noises
card         stage: the model card
params       every setting
stage        how a stage starts, and how it ends badly
data         speech and noise in memory maps; the split by speaker and class of noise
mixing       noisy examples, each a function of its seed
network      Demucs with one layer, started as a filter bank
loss         L1, multi-resolution STFT and SDR; SI-SDR
"""
