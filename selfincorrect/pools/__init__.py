"""Rule import_pool: candidates that were sampled elsewhere."""
