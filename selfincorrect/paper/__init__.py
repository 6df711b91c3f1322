"""The rules paper and audit: the published numbers, and what was measured beside them."""
