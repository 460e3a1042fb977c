"""Files in and out: read, map, check, preview, apply; export."""
