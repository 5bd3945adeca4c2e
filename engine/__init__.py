"""The engine: GTP and queries in, moves and analyses out; players, search, clock, reviews, referee, self-play.

Nothing is imported here; a GUI that starts `gocnn gtp` waits for the first answer.
"""
