"""SERTier1 and its parts: from frames to logits.

tier1            SERTier1 and its parameters: streams that meet in a head
stream           from the frames of one view to a vector
normalisation    mean and variance normalisation (global, clip, speaker), delta coefficients
layers           channel attention and convolution block, with masks
lstm             BiLSTM over padded clips, exact without packing
pooling          frames → fewer frames → one vector: attention, mean, statistics
dropout          dropout with masks that are fast to draw
batchnorm        batch normalisation, independent of padding and of the other clips
"""
