"""The language: what a feature means, written once.

Nothing here knows of an engine, a file format or a feature store. `declaration` is what a team writes with;
`operators` give each word its meaning over the `primitives`; `fingerprint` says when a meaning has changed.
"""
