"""The gradient step: which way a loss grows fastest, sample by sample. Keras and its backends live here alone."""
