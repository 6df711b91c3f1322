"""The configuration: what can be set, what is wrong with one, and which part of it shapes which stage."""
