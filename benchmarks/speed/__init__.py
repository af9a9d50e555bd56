"""How fast and how large: latency, frames/s, memory, bytes on disk."""
