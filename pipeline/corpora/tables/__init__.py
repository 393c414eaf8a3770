"""A user's CSV file, read in steps; the rows of other lists become clips in the last of them.

table            the reader
table_bytes      bytes → text: encodings; files that are not tables
table_file       text → rows: separator, comments, quotes, header
table_columns    header → fields: the documented column names and those of other tools
table_cells      cells → values: missing values, invisible characters, numbers, times
table_values     cells of a row → values, with errors that name the row and the column
table_paths      paths → files, and
  table_readings   paths of other systems translated
table_clips      rows → clips
"""
