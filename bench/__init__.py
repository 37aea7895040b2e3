"""Side-by-side measurements of albert_fast and its peers: ``python -m bench`` in the root of the repository."""
