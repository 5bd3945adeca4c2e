"""The compiled trunk gives what the torch modules give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gocnn import policy
from gocnn.compiled.trunk import FastTrunk, fits
from gocnn.evaluator import Evaluator
from gocnn.go import Board
from gocnn.go.planes import of_board
from gocnn.policy import ConvPolicy, PolicyConfig


def lived_in(config: PolicyConfig, seed: int = 1) -> ConvPolicy:
    """A random network whose batch normalisation has seen something."""
    model = policy.build(config, seed=seed)
    assert isinstance(model, ConvPolicy)
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                assert tensor is not None
                tensor.data = 0.5 + torch.rand(tensor.shape, generator=generator)
            assert module.running_mean is not None
            module.running_mean -= 1
    return model.eval()


def positions(count: int, size: int, plane_set: str = "full") -> np.ndarray:
    """int8 [count, planes, size, size] of random games."""
    from gocnn.go.planes import PLANE_SETS

    random = np.random.default_rng(size)
    planes = []
    for _ in range(count):
        board = Board(size)
        for _ in range(int(random.integers(1, size * size))):
            board.play(board.to_move, int(random.choice(np.flatnonzero(board.legal_mask(board.to_move)))))
        planes.append(of_board(board, PLANE_SETS[plane_set]))
    return np.stack(planes)


@pytest.mark.parametrize("size", [2, 5, 8, 9, 13, 19])
@torch.inference_mode()
def test_the_features_are_those_of_the_modules(size: int) -> None:
    model = lived_in(PolicyConfig(blocks=3, channels=32))
    planes = positions(6, size)
    found = FastTrunk(model)(planes, threads=2)
    wanted = model.trunk(torch.from_numpy(planes).float())
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < 1e-5 * wanted.abs().max()


@pytest.mark.parametrize("threads", [1, 2, 3])
@torch.inference_mode()
def test_batches_threads_and_repetition_change_nothing(threads: int) -> None:
    model = lived_in(PolicyConfig(blocks=1, channels=16))
    trunk = FastTrunk(model)
    planes = positions(11, 9)
    alone = torch.cat([trunk(planes[i : i + 1]) for i in range(11)])
    for count in (1, 2, 5, 11):
        assert torch.equal(trunk(planes[:count], threads), alone[:count])


@torch.inference_mode()
def test_planes_of_stones_and_another_stem() -> None:
    model = lived_in(PolicyConfig(blocks=1, channels=48, stem=3, planes="stones"))
    planes = positions(3, 9, "stones")
    assert planes.min() == -1
    wanted = model.trunk(torch.from_numpy(planes).float())
    assert (FastTrunk(model)(planes) - wanted).abs().max() < 1e-5 * wanted.abs().max()


def test_the_evaluator_answers_as_the_network_does() -> None:
    model = lived_in(PolicyConfig(blocks=2, channels=32, value=True))
    boards = [Board(9) for _ in range(3)]
    for moves, board in enumerate(boards):
        for point in range(moves):
            board.play(board.to_move, 10 * point + 20)
    fast = Evaluator(model, torch.device("cpu"), torch.float32)
    assert fast._trunk is not None
    found = fast.evaluate(boards, komi=6.5)
    fast._trunk = None
    wanted = fast.evaluate(boards, komi=6.5)
    assert np.abs(found.policy - wanted.policy).max() < 1e-5
    for name in ("winrate", "owner", "lead"):
        assert np.allclose(getattr(found, name), getattr(wanted, name), rtol=1e-4, atol=1e-5)


def test_networks_that_it_cannot_do_are_left_to_torch() -> None:
    dense = PolicyConfig(kind="dense", blocks=1, channels=16, board_size=5)
    for config in (PolicyConfig(blocks=1, channels=20), dense):
        model = policy.build(config, seed=1)
        assert not fits(model)
        evaluator = Evaluator(model, torch.device("cpu"), torch.float32)
        assert evaluator._trunk is None
        assert evaluator.policy([Board(5)]).sum() == pytest.approx(1)


def test_torch_has_its_threads_back() -> None:
    before = torch.get_num_threads()
    Evaluator(lived_in(PolicyConfig(blocks=1, channels=16)), torch.device("cpu"), torch.float32).policy([Board(5)])
    assert torch.get_num_threads() == before
