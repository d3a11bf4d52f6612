"""The ledger's tables: one row a call, and its events in order."""
