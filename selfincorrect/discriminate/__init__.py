"""Rules discriminate and select: choices among k candidates, for each k and in every variant."""
