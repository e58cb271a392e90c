"""expiac: infrastructure as code for machine-learning experiments."""
