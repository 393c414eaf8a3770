"""The DAG and the command line: everything that reads and writes files.

cli              `ser`
commands/        its commands
params           params.yaml as one typed, frozen model
stages/          one module per stage of the DAG
corpora/         readers: recordings → clips
protocol/        classes, splits, folds, and the card that records them
audit/           search for leaks between splits
extraction/      computes shards in processes or on a cluster, and resumes
runs/            one evaluated run: scored, written, read, compared
experiments/     several runs together, or one under other conditions
inference/       single files
report/          the HTML page
rejects          clips that cannot be used
span             the part of a file that a clip is
locations        local paths, and URLs such as s3://
repository       the git repository around the project
progress         the progress line: clips/s and × real time
terminal         the standard streams
device           choice of the device
doctor           `ser doctor`
"""
