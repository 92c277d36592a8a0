"""How long a card holder waits, and what it costs: this service beside what a merchant would otherwise use."""
