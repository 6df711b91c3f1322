"""What runs inside a sandbox. It has the standard library alone, and this folder."""
