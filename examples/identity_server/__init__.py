"""A small identity endpoint: copy it to start your own. The contract is in docs/identity.md."""
