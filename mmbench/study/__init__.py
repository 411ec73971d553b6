"""Fair studies of fusion strategies: the plan, the trainings, and what may be said of them."""
