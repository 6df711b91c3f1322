"""Running beside clusters: cells against a model server that is a job of its own."""
