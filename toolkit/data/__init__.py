"""School data: what the tables hold, reading, checking, template and the demo county."""
