"""GTP in, moves out: the protocol, the player, the referee and the board in the terminal.

Nothing is imported here; a GUI that starts `gocnn gtp` waits for the first answer.
"""
