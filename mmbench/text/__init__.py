"""Text rules of the official scorers, as pure functions of strings."""
