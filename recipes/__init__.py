"""How the defaults came about, to be run again: each recipe is a package, and needs the project installed.

compact_denoiser/    how the built-in denoiser was trained: a DVC pipeline of its own
accuracy/            how the defaults of the network and of training were chosen: a listed sweep
"""
