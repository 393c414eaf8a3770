"""How the network learns: batches in an order, losses, rates, epochs, and going on after a kill.

fit              fit(): the epochs
trainer          the steps of an epoch, and its score
hyperparameters  every knob of training
checks           what features must be before an epoch is spent on them
sampling         which clips form which batch: by length, or classes balanced
resident         features in a GPU's memory, batches cut there
augmentation     SpecAugment and mixup
loss             cross-entropy with class weights and label smoothing; valence and arousal
schedules        learning rates: cosine, plateau, step, after a warm-up
resume           going on after a kill, to the bit
"""
