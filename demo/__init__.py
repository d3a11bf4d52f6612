"""`make demo`: one real call, from a carrier's trunk to an agent's phone, watched as it happens."""
