"""Kinds of answers, a file each: how they are read, and when one is right."""
