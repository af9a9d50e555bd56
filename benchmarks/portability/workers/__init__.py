"""Programs that answer in a process of another Python, processor or language."""
