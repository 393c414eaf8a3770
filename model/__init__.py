"""Tier 1: the network, and everything that trains, scores and stores it. Of featurize it knows the foundations only.

network/         SERTier1 and its parts
training/        fit(), and what an epoch is made of
scoring/         metrics, calibration, confidence intervals, significance
batches          shards → padded batches
logits           the outputs of a network for a whole split
affect           valence and arousal: reading them, and their concordance
checkpoint       save and load: atomic, plain types only
distributed      one network trained by several processes
"""
