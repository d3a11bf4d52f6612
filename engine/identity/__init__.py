"""Who is calling: the number, where it is from, and what the company's own system says."""
