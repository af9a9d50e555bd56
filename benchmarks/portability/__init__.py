"""The same answers on every runtime and processor."""
