"""What runs inside Rasa, on its own interpreter. Reaches no database of the clinic and knows no patient by name."""
