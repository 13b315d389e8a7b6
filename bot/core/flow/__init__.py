"""One interpreter for every authored flow: practices, response flows, the summary. Source: protocol 3."""
