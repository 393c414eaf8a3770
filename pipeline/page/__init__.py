"""The report as a page: words, tables and players made of a run, and the templates that they are put into."""
