"""Getting files: caches, downloads in progress, the hub and other sources."""
