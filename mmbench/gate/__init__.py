"""The regression gate: two runs in, PASS, REGRESS or INCONCLUSIVE out, and the exit code of a CI job."""
