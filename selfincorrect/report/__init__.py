"""Rules tables, figures and report: what people read."""
