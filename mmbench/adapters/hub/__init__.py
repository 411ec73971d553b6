"""Models of the transformers library as modules that follow the model's contract; one file per kind of answer."""
