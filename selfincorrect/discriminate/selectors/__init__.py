"""Selectors, a file each: what turns the k candidates of a question into a choice."""
