"""Boxes of bytes: folders, archives, and the encodings that other systems write in."""
