"""noisecli adversarial: a gradient step on a model, then noise."""
