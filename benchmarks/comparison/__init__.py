"""The released models beside others."""
