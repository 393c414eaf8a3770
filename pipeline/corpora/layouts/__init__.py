"""Corpora in the layouts of other tools: each reader turns its files into a table's rows.

audformat          a database of audformat, its
  audformat_tables   header and tables
huggingface        Parquet files, or an audiofolder
emobox             lists of EmoBox
nkululeko          tables of nkululeko, one for each split
kaldi              data folders of Kaldi
emotion_folders    folders named by emotions, in several languages
split_sets         which files are the train, val and test of one fold
records            rows of JSON Lines and Parquet files
places             finding where a layout begins
speaker_codes      speakers in the paths of known corpora
"""
