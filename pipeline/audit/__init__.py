"""The audit: search the splits for faults that make test scores too high or too low, before anything is trained.

Each check takes the clips with their splits and returns all its findings.

    search           audit(): runs the checks, logs and judges what they find
    audit_params     the parameters of the block `audit`
    shared_speakers  speakers in two splits
    similar_speakers speaker ids that may belong to one person
    identical_bytes  files with equal bytes
    overlaps         parts of one file that share audio
    copies           copies of a recording with different bytes, found by audio fingerprints
    fingerprints     compute and store these fingerprints
    contradictions   one recording under two classes
    speaker_labels   speakers whose clips mostly have one label, so that the voice gives the label away
    missing_classes  classes without clips in some split
    retakes          the same sentence by the same speaker in two splits
    doubles          recordings that a corpus is known to hold twice
    repeated_rows    one clip in several rows of a split's files
    shared_sentences sentences that are spoken in two splits
    hashing          hashes of the recordings' bytes
    split_files/     the same checks on the split files of other tools: `ser audit`
    finding          helpers that the checks share
"""
