"""Simulated pools, on which tests, intervals and power are checked to be what they say."""
