"""Encoders, heads, the assembled reference model, checkpoints and the training loop."""
