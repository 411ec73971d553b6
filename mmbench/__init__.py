"""mmbench: benchmark and evaluation of multimodal fusion models."""

__version__ = "0.1.0"
__all__ = ["__version__"]
