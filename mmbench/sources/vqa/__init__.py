"""Files of the visual question answering benchmarks, in their official layouts."""
