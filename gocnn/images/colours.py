"""Keeping a photograph's colours when it is painted in another picture's style (Gatys et al. 2016,
https://arxiv.org/abs/1606.05897).

Either only the brightness is painted, and the photograph's colours are laid on it (`grey`, `recoloured`); or the
style's colours are replaced by the photograph's before it is used (`matched`).
"""

from __future__ import annotations

import numpy as np

# Brightness, and the two axes of colour across it: the YIQ space of NTSC.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = np.linalg.inv(_YIQ)


def grey(picture: np.ndarray, like: np.ndarray | None = None) -> np.ndarray:
    """The brightness of a picture as a picture: uint8 [H, W, 3], with three equal channels.

    With `like`, another picture, it gets that one's mean brightness and contrast.
    """
    bright = picture @ _YIQ[0]
    if like is not None:
        other = like @ _YIQ[0]
        bright = (bright - bright.mean()) * (other.std() / max(bright.std(), 1e-6)) + other.mean()
    return _whole(np.repeat(bright[..., None], 3, axis=2))


def recoloured(painted: np.ndarray, photograph: np.ndarray) -> np.ndarray:
    """The brightness of one picture with the colours of another of its size: uint8 [H, W, 3].

    Where a colour cannot be as bright or dark as that, it is made paler, its hue kept.
    """
    bright = (painted @ _YIQ[0])[..., None]
    colour = (photograph @ _YIQ.T) * [0, 1, 1] @ _RGB.T  # to be added to a grey of any brightness
    room = np.where(colour > 0, (255 - bright) / np.maximum(colour, 1e-6), bright / np.maximum(-colour, 1e-6))
    room[np.abs(colour) < 1e-6] = np.inf
    return _whole(bright + colour * np.minimum(1, room.min(axis=2, keepdims=True)))


def matched(style: np.ndarray, photograph: np.ndarray) -> np.ndarray:
    """The style in the photograph's colours: uint8 [H, W, 3] with the mean and the covariance of its pixels.

    The linear map between them is that of the square roots of both covariances.
    """
    values, target = style.reshape(-1, 3).astype(np.float64), photograph.reshape(-1, 3).astype(np.float64)
    through = _root(_covariance(target)) @ _root(_covariance(values), inverse=True)
    return _whole(((values - values.mean(0)) @ through.T + target.mean(0)).reshape(style.shape))


def _covariance(pixels: np.ndarray) -> np.ndarray:
    return np.cov(pixels.T) + 1e-3 * np.eye(3)  # of one shade, too, it can be inverted


def _root(matrix: np.ndarray, inverse: bool = False) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors @ np.diag(values ** (-0.5 if inverse else 0.5)) @ vectors.T)


def _whole(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
