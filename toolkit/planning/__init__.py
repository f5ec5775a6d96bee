"""Plans: what is missing to the standard, who mends it until when, and what that would cost."""
