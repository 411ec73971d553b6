"""Text as the official scorers see it: tokenizers and normalisations, without Java."""
