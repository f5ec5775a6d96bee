"""Tables: one kind of exhibit per module, from a result to a table."""
