"""Reading patients' words: normalising, clauses, rules, and the combined assessor. Valid on Python 3.10 too."""
