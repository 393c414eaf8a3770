"""Tier 0, the ground floor: arrays in, arrays out. Imports nothing from the floors above.

    audio            load_audio: decode, mono, 16 kHz, peak 1; 16-bit storage
    decoders         which files are audio; their samples, block by block: libsndfile, then FFmpeg
    resampling       sample rates: windowed sinc, block by block
    denoise          load_denoiser, denoise_demucs, denoise_clips
    demucs/          Demucs over many clips at once, each as if alone
    spectral_gate    the package noisereduce, as a yardstick
    weights          where a denoiser's weights come from, and that they are the right ones
    snr              signal-to-noise ratio: its definition, noise at a given one, an estimate from the clip alone
    noise            recordings of noise, the pieces that clips get, and how they are added
    vad              Silero VAD: probabilities, segments, speech only
    vad_network      its network as a plain module: all windows of a block in one call
    mfcc             mfcc_40
    augment          altered copies of a clip: other voices, time stretch, pitch shift, noise
    fingerprint      copies of one recording, whatever their level, format and sample rate
    tier0            tier0_to_mfcc: all of Tier 0 for one file, the reference

Foundations, which the floors above may use as well:

    shards           the HDF5 shard format: writer, reader, checksum
    atomic           files appear whole or not at all
    errors           the exception tree
"""
