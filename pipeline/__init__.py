"""The DAG, top floor: files in, files out.

cli              `ser`
commands/        its commands, thin
params           params.yaml as one typed, frozen model
stages/          one module per stage of the DAG
corpora/         recordings → clips
protocol/        who is tested on what, and the card that says so
audit/           leaks
extraction/      shards made anywhere, resumed, no clip done twice
runs/            one evaluated run: scored, written, read, compared
experiments/     several runs at once, or one under other conditions
inference/       answers for single files
report/          the page
rejects          clips that cannot be used
span             the part of a file that a clip is
locations        files here, or behind an address such as s3://
progress         clips/s and × real time
device           where arithmetic runs
doctor           `ser doctor`
"""
