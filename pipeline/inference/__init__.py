"""Single files.

predict          recording → emotion
clip_views       MFCC and encoder frames of a clip, as the network of a checkpoint needs them
sources          files, folders, addresses, standard input
download         recordings behind http and https addresses
answers          predictions as a line, JSON or CSV
inspection       `ser inspect`: the result of Tier 0
encoder_frames   `ser inspect --encoder`: the frames of an encoder
"""
