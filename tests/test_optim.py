"""Optimisers and schedules."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gocnn import optim, policy


@pytest.mark.parametrize("shape", [(8, 8), (8, 72), (72, 8)])
def test_orthogonalised_singular_values_are_near_one(shape):
    torch.manual_seed(0)
    matrix = torch.randn(3, min(shape), max(shape))
    values = torch.linalg.svdvals(optim.orthogonalised(matrix).float())
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_a_muon_step_is_the_momentums_orthogonal_factor():
    torch.manual_seed(0)
    filters = nn.Parameter(torch.zeros(8, 4, 3, 3))
    filters.grad = torch.randn_like(filters)
    optim.Muon([filters], lr=0.1, momentum=0.9).step()
    u, _, v = torch.linalg.svd(filters.grad.reshape(8, 36), full_matrices=False)
    wanted = -0.1 * 0.2 * math.sqrt(36) * (u @ v)
    found = filters.detach().reshape(8, 36)
    cosine = nn.functional.cosine_similarity(found.flatten(), wanted.flatten(), dim=0)
    assert cosine > 0.97
    assert 0.7 < float(found.norm() / wanted.norm()) < 1.2


def test_equal_shapes_stepped_together_move_as_if_alone():
    torch.manual_seed(0)
    grads = [torch.randn(8, 4, 3, 3) for _ in range(3)]

    def stepped(groups: list[list[torch.Tensor]]) -> list[torch.Tensor]:
        moved = []
        for group in groups:
            params = [nn.Parameter(torch.ones_like(g)) for g in group]
            for p, g in zip(params, group, strict=True):
                p.grad = g.clone()
            optim.Muon(params, lr=0.1, weight_decay=0.1).step()
            moved += [p.detach() for p in params]
        return moved

    for together, alone in zip(stepped([grads]), stepped([[g] for g in grads]), strict=True):
        assert torch.allclose(together, alone, atol=2e-3)


def test_every_weight_has_exactly_one_optimizer():
    model = policy.build(policy.preset("b2c32"))
    optimizers = optim.make_optimizers(model, "muon", 1e-3, 1e-3, 0.1)
    held = [id(p) for o in optimizers for g in o.param_groups for p in g["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    adamw, muon = optimizers
    assert {id(p) for g in muon.param_groups for p in g["params"]} == {
        id(p) for p in model.blocks.parameters() if p.ndim == 4
    }
    undecayed = [p for g in adamw.param_groups if g["weight_decay"] == 0 for p in g["params"]]
    assert undecayed
    assert all(p.ndim < 2 for p in undecayed)


def test_unknown_optimizer():
    with pytest.raises(ValueError, match="unknown optimizer 'sgd'"):
        optim.make_optimizers(nn.Linear(2, 2), "sgd", 1e-3, 1e-3, 0)


def test_the_rate_rises_and_falls():
    assert optim.rate_share(0.0, 0.1) == 0
    assert optim.rate_share(0.05, 0.1) == pytest.approx(0.5)
    assert optim.rate_share(0.1, 0.1) == pytest.approx(1)
    assert optim.rate_share(0.55, 0.1) == pytest.approx(0.5)
    assert optim.rate_share(1.0, 0.1) == pytest.approx(0, abs=1e-9)


def test_the_rate_holds_before_it_falls():
    assert [optim.rate_share(share, 0.1, 0.2) for share in (0.1, 0.5, 0.8)] == pytest.approx([1, 1, 1])
    assert optim.rate_share(0.9, 0.1, 0.2) == pytest.approx(0.5)
    assert optim.rate_share(1.0, 0.1, 0.2) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("warmup", "decay"), [(0.1, 1e-17), (1.0, 1.0)])
def test_a_fall_too_short_for_numbers_is_none(warmup, decay):
    assert [optim.rate_share(share, warmup, decay) for share in (warmup / 2, warmup, 1.0)] == [0.5, 1, 1]


def test_the_average_follows_the_weights_and_copies_counters():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = optim.AveragedModel(model, decay=0.5)
    before = {k: v.clone() for k, v in average.module.state_dict().items()}
    with torch.no_grad():
        model[0].weight += 1
        model[1].num_batches_tracked += 7
    average.update(model, step=10_000)
    assert torch.allclose(average.module[0].weight, before["0.weight"] + 0.5)
    assert int(average.module[1].num_batches_tracked) == 7


def test_muons_second_step_looks_ahead_by_its_momentum():
    """Nesterov's: the step is by the gradient and the momentum that it has just changed."""
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(8, 8))
    first, second = torch.randn(8, 8), torch.randn(8, 8)
    muon = optim.Muon([weight], lr=0.1, momentum=0.9)
    for weight.grad in (first, second):
        before = weight.detach().clone()
        muon.step()
    ahead = 0.1 * second + 0.9 * (0.09 * first + 0.1 * second)
    wanted = -optim.orthogonalised(ahead[None])[0].float()
    step = weight.detach() - before
    assert nn.functional.cosine_similarity(step.flatten(), wanted.flatten(), dim=0) > 0.99


def test_muon_lets_weights_decay():
    weight = nn.Parameter(torch.ones(4, 4))
    weight.grad = torch.zeros(4, 4)
    optim.Muon([weight], lr=0.1, weight_decay=0.5).step()
    assert torch.allclose(weight, torch.tensor(1 - 0.1 * 0.5))


def test_the_average_forgets_where_it_began():
    model = nn.Linear(2, 2)
    average = optim.AveragedModel(model, 0.998)
    before = average.module.weight.clone()
    with torch.no_grad():
        model.weight += 1
    average.update(model, step=1)
    assert torch.allclose(average.module.weight, before + 9 / 11)


def test_each_optimiser_has_its_own_rate():
    model = policy.build(policy.preset("b2c32"))
    adamw, muon = optim.make_optimizers(model, "muon", 1e-3, 5e-3, 0.1)
    assert {group["lr"] for group in adamw.param_groups} == {1e-3}
    assert {group["lr"] for group in muon.param_groups} == {5e-3}
