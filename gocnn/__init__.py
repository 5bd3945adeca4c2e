"""gocnn: a Go position is an image, and a convolutional network can look at it.

Nothing is imported here: `gocnn.go` holds the rules, `gocnn.policy` the network,
`gocnn.training` the loop and `gocnn.evaluator` the shortest way from a board to move probabilities.
"""

__version__ = "0.1.0"
