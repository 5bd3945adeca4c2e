"""The value head and what it learns from: known answers, unknown outcomes, and a task that it must learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gocnn import policy, targets, training
from gocnn.device import Process
from gocnn.evaluator import Evaluator
from gocnn.examination import examine
from gocnn.value import LEAST_DOUBT, Outputs, ValueHead
from sgf_data.dataset import NO_MOVE

CPU = Process(0, 1, torch.device("cpu"))
NAN = float("nan")


def outputs(lead: list[float], doubt: float = 1.0) -> Outputs:
    """What a network would say that gives the whole lead to one point of a 2x2 board and likes the pass."""
    owner = torch.zeros(len(lead), 2, 2)
    owner[:, 0, 0] = torch.tensor(lead)
    policy_logits = torch.tensor([[0.0, 0, 0, 0, 50]]).repeat(len(lead), 1)
    return Outputs(policy_logits, owner, torch.full((len(lead),), doubt))


class Says(nn.Module):
    """A network that says the same of every batch."""

    def __init__(self, says: Outputs) -> None:
        super().__init__()
        self.says = says

    def heads(self, planes: Tensor) -> Outputs:
        return self.says


@pytest.mark.parametrize("size", [5, 9, 19])
def test_an_untrained_head_gives_even_chances_on_any_board(size):
    with torch.no_grad():
        owner, doubt = ValueHead(8)(torch.rand(3, 8, size, size))
    assert owner.shape == (3, size, size)
    assert not owner.any()
    assert doubt.tolist() == pytest.approx([10 + LEAST_DOUBT] * 3)
    chance = Outputs(torch.zeros(3, 2), owner, doubt).win_logit(torch.tensor([0.0, 6.5, -6.5])).sigmoid()
    assert chance[0] == 0.5
    assert chance[1] < 0.5 < chance[2]
    assert float(chance[1] + chance[2]) == pytest.approx(1)


def test_lead_and_chance_follow_from_the_owners():
    says = outputs([0.75], doubt=2)
    assert says.lead.tolist() == [0.75]
    assert says.win_logit(torch.tensor([0.25])).tolist() == [0.25]


def test_loss_of_known_answers():
    moves = torch.tensor([4, 4])
    outcomes = torch.tensor([[0.5, 1, 20.5], [-0.5, 0, NAN]])
    loss = targets.policy_and_value_loss(2.0, 0.5)(Says(outputs([0.5, -0.5])), torch.zeros(2, 1), moves, outcomes)
    even = np.log(2)  # nats of a winner at even chances, twice
    lead = (20 / targets.LEAD_UNIT - 0.5) / 2  # Huber, over both samples
    assert float(loss) == pytest.approx(2 * even + 0.5 * lead, abs=1e-5)


def test_moves_that_are_not_to_be_learned_add_no_loss_and_the_others_count_as_before():
    model = policy.build(policy.PolicyConfig(blocks=1, channels=8, value=True), seed=1).eval()
    planes, moves, nothing = torch.rand(4, 20, 5, 5), torch.tensor([0, 5, 25, 7]), torch.full((4, 3), NAN)
    loss = targets.policy_and_value_loss(1, 1)
    each = [loss(model, planes[i : i + 1], moves[i : i + 1], nothing[:1]).item() for i in range(4)]
    moves[1] = moves[3] = NO_MOVE
    assert loss(model, planes, moves, nothing).item() == pytest.approx((each[0] + each[2]) / 4, abs=1e-6)
    assert loss(model, planes[:1], torch.tensor([NO_MOVE]), nothing[:1]).item() == 0


def test_unknown_outcomes_add_no_loss_and_no_bad_gradient():
    model = policy.build(policy.PolicyConfig(blocks=1, channels=8, value=True), seed=1)
    planes, moves = torch.rand(4, 20, 5, 5), torch.tensor([0, 5, 25, 7])
    loss = targets.policy_and_value_loss(1, 1)(model, planes, moves, torch.full((4, 3), NAN))
    assert loss.item() == pytest.approx(training.cross_entropy(model, planes, moves).item(), abs=1e-6)
    loss.backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())


def test_the_owners_nats_are_those_of_the_points_that_are_known():
    owner = torch.tensor([[[0.6, -1.0], [0.0, 0.0]], [[0.5, 0.5], [0.5, 0.5]]])
    truth = torch.tensor([[1, -1, 0, 1], [targets.UNKNOWN] * 4], dtype=torch.int8)
    nats = targets.owner_nats(owner, truth)
    # 0.6 is a chance of 0.8; a sure right point costs next to nothing, a point of nobody's at even chances one bit.
    assert float(nats[0]) == pytest.approx((-np.log(0.8) + 0 + np.log(2) + np.log(2)) / 4, abs=1e-3)
    assert float(nats[1]) == 0


def test_owners_add_to_the_loss_by_their_weight():
    moves, outcomes = torch.tensor([4]), torch.full((1, 3), NAN)
    says, truth = Says(outputs([0.5])), torch.tensor([[1, 0, 0, 0]], dtype=torch.int8)
    without = targets.policy_and_value_loss(1, 1, 3.0)(says, torch.zeros(1, 1), moves, outcomes)
    with_owners = targets.policy_and_value_loss(1, 1, 3.0)(says, torch.zeros(1, 1), moves, outcomes, truth)
    nats = targets.owner_nats(says.says.owner, truth).mean()
    assert float(with_owners) == pytest.approx(float(without + 3 * nats))


class WhoHasMore:
    """Boards of random stones: he who has more is ahead by the difference and wins at no komi; the move is a pass."""

    def __len__(self) -> int:
        return 256

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng(first)
        stones = rng.integers(-1, 2, (count, 1, 5, 5), dtype=np.int8)
        lead = stones.sum((1, 2, 3), dtype=np.float32)
        won = np.where(lead == 0, np.nan, lead > 0)
        return stones, np.full(count, 25), np.stack([np.zeros(count), won, lead], axis=1).astype(np.float32)


def test_it_learns_who_is_ahead(tmp_path):
    model = policy.build(policy.PolicyConfig(blocks=1, channels=8, planes="stones", value=True), seed=0)
    config = training.TrainingConfig(samples=12_800, batch=64, lr=0.01, precision="fp32")
    run = training.Run(tmp_path, model, config, CPU, loss=targets.policy_and_value_loss(1, 1))

    def validate(model: policy.Policy) -> training.Metrics:
        return examine(Evaluator(model, CPU.device, torch.float32), WhoHasMore()).metrics()

    metrics = run.train(WhoHasMore(), validate)
    assert metrics["winner"] > 0.9
    assert metrics["lead_error"] < 1.5
