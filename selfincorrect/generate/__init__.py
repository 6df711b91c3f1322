"""Rules generate and collect: the pool of one model on one task."""
