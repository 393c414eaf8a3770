"""Who is tested on what.

labels            emotions → classes
splits            train, val, test
folds             speakers and clips dealt into folds
balance           groups of speakers that are alike
class_coverage    classes that a split lacks, and the fold that has them
confounding       how far speakers predict labels
manifest_file     manifest.csv
manifest_summary  manifest.json
card              the protocol card, and when two of them are alike
data_card         what features add to it, and which checkpoint fits them
wording           a card in words
typed_json        a JSON file as the model that wrote it
findings          audit.json
provenance        versions behind a number
"""
