"""What a run will take: the rule estimate, the resources of jobs, and whole experiments on paper."""
