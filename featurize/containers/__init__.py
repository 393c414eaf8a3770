"""What lies in an audio file, as against what its header states.

readable         files that no decoder has to be given
headers          WAV, AIFF and AU whose header states another length than they have
joined           recordings end to end in one file: Ogg, MP3, FLAC
pieces           a file made of pieces of another
ffmpeg           decoding what libsndfile does not support
"""
