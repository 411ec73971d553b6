"""Fusion operators: one file per family, one interface."""
