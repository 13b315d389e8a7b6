"""Ratios of this assistant to a plain Rasa bot, measured in one interleaved run on one machine: `python -m bench`.

Rasa's own starter, trained there and then, stands for the plain bot. Knows both systems from outside only, by HTTP;
patients are invited through the service layer. Writes RESULTS.md beside this file.
"""
