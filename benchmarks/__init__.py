"""What expiac costs: `python -m benchmarks` measures it, `docs/performance.md` says what came out."""
