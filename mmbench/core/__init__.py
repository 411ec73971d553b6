"""The nouns: numpy, the standard library and pydantic only; imports nothing else of mmbench."""
