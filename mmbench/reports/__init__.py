"""Reports: leaderboard rows (pure) and one file per format."""
