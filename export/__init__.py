"""Export: `models/<name>.keras` in, TFLite and ONNX artifacts of every precision with cards out."""
