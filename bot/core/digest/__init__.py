"""The coach's digest: counts, dates and the patient's own words, by the fixed formulas of protocol 5. Pure.

It is given shared entries only and has no way to ask for others. It words nothing about the person.
"""
