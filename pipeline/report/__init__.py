"""The report: one self-contained HTML page.

render           the page, from its templates (one file a section, a style sheet, a script)
yardstick        the network against the baseline, in words
words            numbers and the headline as text
protocol_table   the protocol card as rows
tables           tables of the page: clips, audio, clips without speech
charts           its charts
mistakes         the wrong predictions of highest confidence, with their audio
player           audio, waveform and spectrogram of one clip
pictures/        the SVG pictures
"""
