"""From a folder of the user's to a proposed suite: what is there, what it seems to be, as a TOML text."""
