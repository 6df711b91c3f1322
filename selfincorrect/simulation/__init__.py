"""Whether tests, intervals and power are what they say, on simulated pools."""
