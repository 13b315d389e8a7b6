"""Running everything on one host: environment, training, processes, the development mail sink."""
