"""The shared conv core: the blocks that every convolutional network here is built of.

A convolution looks for one small pattern a filter, everywhere with the same weights. `ConvBlock` is that with an
activation and, for images, max pooling; `ResidualBlock` keeps the board's size and adds to what it was given.
"""

from __future__ import annotations

from torch import Tensor, nn

from gocnn.compiled import convolution, norm_relu


class ConvBlock(nn.Module):
    """Convolution, ReLU and, if `pool` > 1, max pooling by `pool`.

    float [B, inputs, H, W] -> [B, outputs, H', W']. `padding` is "same" (H' = H before pooling; needs
    stride 1) or "valid" (H' = (H - kernel) // stride + 1), as the lecture's network has it.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, padding: str = "same", pool: int = 1,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=bias)
        self.activation = nn.ReLU()
        self.pool = nn.MaxPool2d(pool) if pool > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.activation(self.conv(x)))


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution that keeps the size: float [B, inputs, H, W] -> [B, outputs, H, W].

    It is torch's own, but learns in compiled code where that can do it (`gocnn.compiled`).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and convolution.fits(x, self.weight):
            return convolution.convolve(x, self.weight)
        return super().forward(x)


def activated(norm: nn.BatchNorm2d, activation: nn.ReLU, x: Tensor) -> Tensor:
    """Normalisation and ReLU. Where compiled code can learn both, neither module is called: their hooks see nothing."""
    return norm_relu.apply(norm, x) if norm_relu.fits(norm, x) else activation(norm(x))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to their input; float [B, C, H, W] to the same shape.

    Normalisation and activation come before each convolution, so the sum itself passes through untouched (He et al.,
    "Identity mappings in deep residual networks", arXiv 1603.05027).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = Conv3x3(channels, channels)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = Conv3x3(channels, channels)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(activated(self.norm1, self.activation, x))
        return x + self.conv2(activated(self.norm2, self.activation, y))
