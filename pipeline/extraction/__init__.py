"""Shards made anywhere: an engine runs a stage's job over clips, resumes it, and never does a clip twice.

run              a stage from start to end: what is done, an engine for the rest, times, rejects
job              what a stage hands to an engine: how the rows of a shard are made
grouping         which clips go into one shard
tasks            what travels between a stage and its workers
engine           where the work is done: worker processes, Ray, or this very process
workers          worker processes: whatever kills one costs the clip that it was at
process          one of them, and both ends of the line to it
ray_engine       the same on a Ray cluster
loading          clips loaded in threads ahead of their use
clip_audio       the files of clips, and of several that are parts of one
shard_folder     what a stage has already done: taken over, resumed, made anew where damaged
shard_writer     one shard in the making
found_rows       finished rows that it can take over
waveforms        the denoised waveforms as the source of a stage
augmented        augmented copies of training clips among the features
opensmile_sets   functionals of openSMILE over denoised clips, for the baseline
stopwatch        where the time went
"""
