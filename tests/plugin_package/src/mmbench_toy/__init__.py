"""Plug-ins for mmbench in a package of its own."""
