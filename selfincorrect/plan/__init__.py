"""What a run will take: rule estimate, the resources of jobs, and whole experiments on paper."""
