"""Rule refine: answer, feedback, refined answer, and which of two answers is preferred."""
