"""Metrics: one file per statistic; rows per sample, then values of weighted rows."""
