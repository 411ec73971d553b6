"""Weights in files and folders of others: read without running anything that they hold."""
