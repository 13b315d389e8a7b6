"""Development only: the risk corpus, the training of the meaning layer, and its evaluation. Nothing at run time imports this."""
