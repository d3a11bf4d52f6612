"""The history of the tables. A new revision: copy the newest, give it the next number, set migrate.HEAD."""
