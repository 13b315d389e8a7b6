"""Development only: the risk corpus, training the meaning layer, measuring it. Nothing at run time imports this."""
