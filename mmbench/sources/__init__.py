"""Sources: one file per data format; each reads or generates samples."""
