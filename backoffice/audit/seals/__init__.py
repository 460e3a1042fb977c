"""Seals: how it can be shown that the record is what it was.

A sealer (sealing) takes what is new on the record, hashes it in a fixed form (canonical), sums it
up (merkle), signs it (keys) and publishes the sum (publishing, checkpoints). Whoever doubts has
everything computed once more (verifying).
"""
