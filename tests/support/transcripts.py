"""Real choices between two answers, as counts."""

import numpy as np

# GPT-3.5 on GSM8K, two answers each: grades of the first and the second, the one it picked, and how often.
GPT = [(0, 0, 0, 50), (0, 0, 1, 31), (0, 1, 0, 45), (0, 1, 1, 111), (1, 0, 0, 131), (1, 0, 1, 40)]
F = np.array([[a, b] for a, b, _, count in GPT for _ in range(count)], dtype=float)
W = np.array([[pick == 0, pick == 1] for _, _, pick, count in GPT for _ in range(count)], dtype=float)
MIXED = F[:, 0] != F[:, 1]
