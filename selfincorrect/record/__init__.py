"""The record of a run, and running it again."""
