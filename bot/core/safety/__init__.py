"""What a concerning response is, and how verdicts of several layers combine. Source: protocol 6."""
