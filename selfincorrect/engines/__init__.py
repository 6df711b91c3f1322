"""Engines: what runs a model. An engine turns requests into responses, in batches, in any order."""
