"""Checks that an install is right: small files of our own against the numbers of the official scorers."""
