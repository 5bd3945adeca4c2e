"""gocnn: a Go position is an image, and a convolutional network can look at it.

Nothing is imported here: `gocnn.go` holds the rules, `gocnn.policy` the network,
`gocnn.training` the loop and `gocnn.evaluator` the shortest way from a board to move probabilities.
"""

import os

__version__ = "0.1.0"

# Torch's idle threads would otherwise spin for a while on the cores that `gocnn.compiled` wants to work on. It is read
# when torch is imported, and what the user has set stands.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
