"""The three faces and the JSON API. Knows services, nothing below them."""
