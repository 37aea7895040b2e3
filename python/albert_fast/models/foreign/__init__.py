"""Models of other systems: PyTorch, TensorFlow, ONNX, Spark NLP."""
