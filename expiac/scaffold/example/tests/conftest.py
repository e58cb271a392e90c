"""NumPy takes one thread, as in the trainer's own process: the arrays are small."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
