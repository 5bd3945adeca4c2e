"""The lecture's network for small grey images, and a fully-connected one of the same size to hold beside it."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from gocnn.conv import ConvBlock

INPUT_SHAPE = (1, 28, 28)  # 0 paper to 1 ink


class LectureNet(nn.Sequential):
    """Images float [B, 1, 28, 28] (0 paper to 1 ink) -> logits [B, classes]; 137,660 weights with ten classes."""

    def __init__(self, classes: int = 10) -> None:
        layers: dict[str, nn.Module] = {
            "conv1": ConvBlock(1, 25, 3, padding="valid", pool=2),  # [B, 25, 13, 13], 9 weights a filter
            "conv2": ConvBlock(25, 50, 3, padding="valid", pool=2),  # [B, 50, 5, 5], 225 weights a filter
            "flatten": nn.Flatten(),  # [B, 1250]
            "hidden": nn.Linear(1250, 100),
            "activation": nn.ReLU(),
            "output": nn.Linear(100, classes),
        }
        super().__init__(OrderedDict(layers))


class DenseNet(nn.Sequential):
    """The same input and output with fully-connected layers only; 137,080 weights with ten classes."""

    def __init__(self, classes: int = 10) -> None:
        layers: dict[str, nn.Module] = {
            "flatten": nn.Flatten(),  # [B, 784]
            "hidden1": nn.Linear(784, 150),
            "activation1": nn.ReLU(),
            "hidden2": nn.Linear(150, 120),
            "activation2": nn.ReLU(),
            "output": nn.Linear(120, classes),
        }
        super().__init__(OrderedDict(layers))
