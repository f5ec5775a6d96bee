"""Effects of programmes: which designs the data allow, and what they say."""
