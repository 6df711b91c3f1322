"""What a run was, and running it again."""
