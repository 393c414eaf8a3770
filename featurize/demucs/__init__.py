"""Demucs on many clips at once, each with the result it has alone: the arithmetic behind `featurize.denoise`.

streams           assigns clips to slots and processes a few frames of each slot at a time
streamed_network  encoder, LSTM and decoder for those frames
layout            the network's parameters as matrix products, and the delay of each level
products          matrix products with packed weights and fused activations
weights           finding, downloading and verifying the weights of a denoiser
sinc              doubling and halving of the sample rate
"""
