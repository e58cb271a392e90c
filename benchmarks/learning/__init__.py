"""What the trainer learns: a stack that trains, and `python -m benchmarks.learning`, which draws and tabulates it."""
