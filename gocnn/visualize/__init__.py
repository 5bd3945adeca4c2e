"""The instruments that look inside a network: each works on any `nn.Module` and a layer's name, and returns arrays.

They know no task and no data; drawing is in `drawing`, kept apart from computing.
"""
