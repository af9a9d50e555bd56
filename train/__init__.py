"""Training: FER2013 in, `models/<name>.keras` and its record out (Keras 3, any backend)."""
