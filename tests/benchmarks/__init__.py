"""What the platform costs, one line a figure. By hand or at night: `python -m tests.benchmarks`."""
