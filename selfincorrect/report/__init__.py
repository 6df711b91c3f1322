"""Rules tables, figures and report: what people read."""

TABLES = (
    "metrics",
    "gradings",
    "grading_differences",
    "pass_at",
    "slots",
    "flips",
    "contrasts",
    "pooled",
    "coverage",
    "selectors",
    "agreement",
    "best_of",
    "difficulty",
    "matrix",
    "compute",
    "overtaking",
    "accounting",
)
