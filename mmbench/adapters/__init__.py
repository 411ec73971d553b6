"""Adapters: how a locator becomes a Model; one scheme per file."""
