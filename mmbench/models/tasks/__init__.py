"""What a reference model does for each task: its head, its loss, its output; one file per kind of output."""
