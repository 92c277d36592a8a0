"""Many attempts at once, broken in every way that can be thought of; each answer is held against Iamport's truth."""
