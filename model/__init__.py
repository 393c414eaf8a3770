"""Tier 1: the network, and everything that trains, scores and stores it. Of featurize it knows the foundations only.

network/         SERTier1 and its parts
training/        fit(), and what an epoch is made of
scoring/         what predictions are worth
batches          shards → padded batches
logits           what a network answers for a whole split
affect           valence and arousal: read, and scored by concordance
checkpoint       save and load: atomic, nothing unpickled
distributed      several processes, one network
"""
