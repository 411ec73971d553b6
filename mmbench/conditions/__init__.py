"""Conditions under which a suite is measured: inputs made worse step by step, training sets made smaller or uneven."""
