"""The tasks: questions, prompts and grading. A new task is a module and a prompt file here."""
