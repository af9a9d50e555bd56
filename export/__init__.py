"""Export: from `models/<name>.keras` to TFLite and ONNX artifacts of every precision, with cards."""
