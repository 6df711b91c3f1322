"""Rules discriminate and select: the choices of one model among k candidates, for each k and in every variant."""
