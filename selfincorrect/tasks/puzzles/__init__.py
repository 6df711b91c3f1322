"""Puzzles of any size, made by seed, and exact checkers of their solutions; a file each."""
