"""Commands that measure any artifact through the runtime: `python -m benchmarks --help` lists them."""
