"""The evaluation protocol: classes, splits and folds, and the card that records them.

labels            emotions → classes
  emotion_words     words of many languages for one emotion
splits            train, val, test
  split_params      method, folds, seed
  division          what a split knows of a clip, and the result
  fold_sets         folds that are published with a corpus
folds             assigns speakers and clips to folds
balance           groups of speakers with similar class counts
class_coverage    classes that a split lacks, and the fold that has them
confounding       how far speakers predict labels
manifest_file     manifest.csv
manifest_summary  manifest.json
card              the protocol card, and the fields that two cards must share
origins           its parts about encoder and initial network
data_card         the card of feature shards, and the check that a checkpoint fits them
wording           a card in words
typed_json        JSON files as pydantic models
findings          the types of audit.json
provenance        versions of packages and code
"""
