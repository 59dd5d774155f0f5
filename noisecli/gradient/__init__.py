"""The gradient step: in which direction a loss grows fastest, sample by sample. Only these modules use Keras."""
