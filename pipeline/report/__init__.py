"""The report: one self-contained HTML page.

render           the page, from its templates (one file a section, a style sheet, a script)
words            numbers as a person reads them
protocol_table   the protocol card as rows
tables           tables of the page
charts           its charts
mistakes         the surest errors, and what the network heard of them
player           a clip to look at and to listen to
pictures/        what is drawn
"""
