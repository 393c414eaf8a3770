"""Demucs over many clips at once, each as if alone: the arithmetic behind `featurize.denoise`.

streams           clips in slots, a few frames of each at a time
streamed_network  encoder, LSTM and decoder for those frames
layout            the network's parameters as matrix products, and how late each level runs
products          matrix products with packed weights, and what follows them
sinc              doubling and halving of the sample rate
"""
