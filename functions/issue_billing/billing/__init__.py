"""Issues billing keys: everything that touches a card number lives in this package."""
