"""One module per DVC stage, with the stage's own name."""
