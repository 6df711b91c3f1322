"""Running programs that models write, where they can reach nothing."""
