"""Trains a small network on handwritten digits: `python -m trainer +experiments=<instance> run_name=<instance>`.

`trainer.config` is what stack files import; it imports neither NumPy nor scikit-learn.
"""
