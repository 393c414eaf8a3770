"""Training: order of batches, losses, learning rates, epochs, and resuming.

fit              fit(): the loop over epochs
trainer          the steps of an epoch, and validation
hyperparameters  the parameters of training
checks           checks of features and parameters before the first epoch
sampling         which clips form which batch: similar lengths, or balanced classes
initial          starting from the weights of a trained network
resident         features in a GPU's memory, and batches made there
refit            once more, on train and validation together
augmentation     SpecAugment and mixup
targets          labels, or shares of the raters' votes
loss             cross-entropy with class weights and label smoothing; valence, arousal and dominance
schedules        learning rates: warm-up, then cosine, plateau or step
resume           resuming an interrupted run, with bit for bit the same result
"""
