"""Container formats: reading files whose header does not describe their content.

readable         checks of a file before decoding: missing, empty, or not audio
contents         the recordings in a file of any format
lengths          the number of bytes of samples, if the header may be wrong
headers          WAV, AIFF and AU files whose header states a wrong length
large_files      W64 and CAF files whose header states a wrong length
joined           files with several recordings one after the other: Ogg, MP3, FLAC
pieces           a file object made of parts of another file
libsndfile       decoding of the formats that libsndfile supports
ffmpeg           decoding of formats that libsndfile does not support
"""
