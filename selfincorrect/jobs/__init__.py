"""What every job of the workflow has: a log, a way to end, a full disk told apart."""
