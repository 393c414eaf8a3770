"""The commands of `ser`, thin: options in, one call; everything heavy is imported inside them."""
