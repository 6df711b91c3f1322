"""Roles of judges."""

SECOND = " (second)"  # behind the role of a judge that rates what another one has rated
