"""Measure whether a language model can tell its own good answers from its bad ones."""

__version__ = "0.1.0"
