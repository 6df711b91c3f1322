"""What a run says in a terminal: a line a stage, warnings once, errors whole."""
