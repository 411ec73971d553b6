"""COCO files: annotations of instances and keypoints, and results, as checked columns."""
