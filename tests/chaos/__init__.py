"""Many attempts at once, broken in every way that can be thought of; afterwards the ledger has to tell the truth."""
