"""Haze off photographs: a model of haze, a network that inverts it, and the dark channel to hold beside it."""
