"""How a noisy sample is made from a clean one: one page a noise."""
