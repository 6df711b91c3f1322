"""Rule measure: the numbers of one target, a row a variant."""
