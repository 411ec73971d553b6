"""What models and modalities know: probes that are trained to find a leak."""
