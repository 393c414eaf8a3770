"""Single files.

predict          recording → emotion
sources          files, folders, addresses, standard input
download         recordings behind http and https addresses
answers          predictions as a line, JSON or CSV
inspection       `ser inspect`: the result of Tier 0
"""
