"""SERTier1 and its parts: what turns frames into logits.

tier1            SERTier1 and its parameters
normalisation    levels taken out (global, clip, speaker), slopes added
layers           channel attention and convolution block: masked
lstm             BiLSTM over padded clips, exact without packing
pooling          frames → fewer frames → one vector: attention, mean, statistics
dropout          dropout with cheap masks
batchnorm        batch normalisation that ignores padding and neighbours
"""
