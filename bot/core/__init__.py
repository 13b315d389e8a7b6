"""Records and decisions. Standard library only: no database, web, Rasa, spaCy, environment or logging.

Valid on Python 3.10 as well, because Rasa's interpreter imports it.
"""
