"""The life of one call: inbound, waiting, offer, conversation, recovery."""
