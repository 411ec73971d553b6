"""Result files: predictions of a whole split, in the format of an official benchmark server or by sample id."""
