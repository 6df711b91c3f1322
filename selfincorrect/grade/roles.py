"""Roles of judges."""

# What stands behind the role of a judge that rates what another one has rated.
SECOND = " (second)"
