"""What ``python -m bench.gpu_check`` is made of."""
