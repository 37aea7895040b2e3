"""ONNX graphs that the ONNX Runtime peers run: what an exporter writes, the best fused one, the products alone."""
