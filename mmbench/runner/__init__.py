"""The runner: plan, load, execute, journal, score, record."""
