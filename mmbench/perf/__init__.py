"""Latency, throughput, memory, energy and operations of a model, measured as docs/measuring.md says."""
