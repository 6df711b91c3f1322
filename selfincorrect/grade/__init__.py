"""Rules judge and grade: what each candidate is worth."""
