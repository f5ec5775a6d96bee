"""School resources per student by stage, after the official split of combined schools."""
