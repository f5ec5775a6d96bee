"""Many counties at once: units, the engines that run them, what became of each, and the summary."""
