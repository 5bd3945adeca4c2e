"""The networks: shapes, board sizes, what each part may see, and the evaluator that puts them to work."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gocnn import checkpoint, policy
from gocnn.average_command import average
from gocnn.conv import ConvBlock
from gocnn.evaluator import Evaluator
from gocnn.go import BLACK, Board
from gocnn.go.planes import PLANE_SETS, of_board
from gocnn.go.symmetry import SYMMETRIES, point_maps
from gocnn.visualize.receptive import receptive_fields


@pytest.mark.parametrize("name", ["b2c32", "b6c64"])
@pytest.mark.parametrize("size", [5, 9, 13, 19])
def test_one_set_of_weights_plays_any_board(name, size):
    model = policy.build(policy.preset(name)).eval()
    assert model(torch.zeros(3, 20, size, size)).shape == (3, size * size + 1)


def test_nothing_in_the_conv_network_pools_or_strides():
    model = policy.build(policy.preset("b6c64"))
    for module in model.modules():
        assert not isinstance(module, (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d))
        if isinstance(module, nn.Conv2d):
            assert module.stride == (1, 1)
    assert not model.config.pool, "the lecture's comparison alone has pooling, and asks for it"
    assert model.stem.kernel_size == (5, 5)


def test_a_points_logit_depends_on_just_its_receptive_field():
    config = policy.PolicyConfig(blocks=1, channels=8)
    model = policy.build(config, seed=3).eval()
    reach = (receptive_fields(model, (20, 19, 19))["head.points"].size[0] - 1) // 2
    planes = torch.rand(1, 20, 19, 19, requires_grad=True)
    model(planes)[0, 9 * 19 + 9].backward()
    rows, cols = torch.nonzero(planes.grad[0].abs().sum(0), as_tuple=True)
    assert (int(rows.min()), int(rows.max())) == (9 - reach, 9 + reach)
    assert (int(cols.min()), int(cols.max())) == (9 - reach, 9 + reach)


def test_the_position_bias_has_the_symmetries_of_the_board():
    head = policy.PolicyHead(4)
    nn.init.normal_(head.edge_bias)
    with torch.no_grad():
        logits = head(torch.zeros(1, 4, 19, 19))[0].numpy()
    for s in range(SYMMETRIES):
        assert np.allclose(logits[point_maps(19)[s]], logits, atol=1e-6)
    assert not np.isclose(logits[0], logits[9 * 19 + 9])


def test_the_dense_network_has_one_board_size():
    model = policy.build(policy.preset("dense", board_size=9))
    assert model(torch.zeros(2, 20, 9, 9)).shape == (2, 82)
    with pytest.raises(ValueError, match="plays 9x9 boards, not 19x19"):
        model(torch.zeros(2, 20, 19, 19))


def test_the_lectures_plane_is_an_input_too():
    model = policy.build(policy.preset("b2c32", planes="stones"))
    assert model(torch.zeros(1, 1, 19, 19)).shape == (1, 362)


def test_a_name_says_blocks_and_channels():
    config = policy.preset("b8c32")
    assert (config.kind, config.blocks, config.channels) == ("conv", 8, 32)
    assert policy.preset("dense").kind == "dense"
    assert [policy.preset(name).label for name in ("b10c128", "dense")] == ["b10c128", "2 layers of 512 units"]


def test_unknown_names_are_named():
    for name in ("b99", "b0c64", "b6c0", "b6c64x", "resnet"):
        with pytest.raises(ValueError, match=rf"no network '{name}'.*b6c64"):
            policy.preset(name)
    with pytest.raises(ValueError, match="unknown plane set 'rgb'"):
        policy.preset("b6c64", planes="rgb")


def test_seeded_weights_repeat_and_leave_the_global_seed_alone():
    state = torch.random.get_rng_state()
    one, two = (policy.build(policy.preset("b2c32"), seed=5).state_dict() for _ in range(2))
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert torch.equal(state, torch.random.get_rng_state())


def test_conv_block_shapes_of_the_lectures_network():
    images = torch.zeros(1, 1, 28, 28)
    first = ConvBlock(1, 25, padding="valid", pool=2)(images)
    assert first.shape == (1, 25, 13, 13)
    assert ConvBlock(25, 50, padding="valid", pool=2)(first).shape == (1, 50, 5, 5)


@pytest.fixture(scope="module")
def evaluator():
    return Evaluator(policy.build(policy.preset("b2c32"), seed=2), torch.device("cpu"), torch.float32)


def board_with(*points: int) -> Board:
    board = Board(9)
    for point in points:
        board.play(board.to_move, point)
    return board


def test_evaluator_gives_a_distribution_for_each_board(evaluator):
    answer = evaluator.policy([board_with(40), board_with(40, 41)])
    assert answer.shape == (2, 82)
    assert np.allclose(answer.sum(1), 1, atol=1e-5)


def test_evaluator_sees_the_side_to_move(evaluator):
    board = board_with(40)
    as_white = evaluator.policy([board])
    board.to_move = BLACK
    assert not np.allclose(as_white, evaluator.policy([board]))


@pytest.mark.parametrize("s", range(SYMMETRIES))
def test_evaluator_turns_the_answer_back(evaluator, s):
    """Seeing a turned board and turning the answer back is the same as playing the turned game."""
    maps = point_maps(9)
    moves = (20, 41, 62, 10)
    turned = board_with(*(int(maps[s, p]) for p in moves))
    straight = evaluator.evaluate([board_with(*moves)], symmetry=s).policy[0]
    assert np.allclose(straight, evaluator.policy([turned])[0][maps[s]], atol=1e-5)


def test_evaluator_refuses_mixed_sizes(evaluator):
    with pytest.raises(ValueError, match="one size"):
        evaluator.policy([Board(9), Board(13)])


@pytest.fixture(scope="module")
def valued() -> Evaluator:
    """A network with a value head that has opinions: its last layers are not zero."""
    model = policy.build(policy.PolicyConfig(blocks=1, channels=8, value=True), seed=4)
    torch.manual_seed(0)
    nn.init.normal_(model.value.owner.weight)
    nn.init.normal_(model.value.doubt.weight)
    return Evaluator(model, torch.device("cpu"), torch.float32)


def test_evaluator_without_a_value_head_says_nothing_of_the_winner(evaluator):
    assert not evaluator.has_value
    assert evaluator.evaluate([board_with(40)], komi=7)[1:] == (None, None, None)


def test_evaluator_counts_komi_for_each_side(valued):
    white = board_with(40)
    black = board_with(40)
    black.to_move = BLACK
    none, some = valued.evaluate([white, black]), valued.evaluate([white, black], komi=7)
    assert np.allclose(some.lead - none.lead, [7, -7], atol=1e-5)
    assert some.winrate[0] > none.winrate[0] and some.winrate[1] < none.winrate[1]
    assert (some.owner == none.owner).all()
    assert np.allclose(none.owner.sum(1), none.lead, atol=1e-4)


@pytest.mark.parametrize("s", range(SYMMETRIES))
def test_evaluator_turns_the_owners_back(valued, s):
    maps = point_maps(9)
    moves = (20, 41, 62, 10)
    turned = valued.evaluate([board_with(*(int(maps[s, p]) for p in moves))])
    straight = valued.evaluate([board_with(*moves)], symmetry=s)
    assert np.allclose(straight.owner[0], turned.owner[0][maps[s, :-1]], atol=1e-5)
    assert np.allclose(straight.winrate, turned.winrate, atol=1e-5)


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_parts_of_a_batch_on_several_threads_say_what_the_whole_says(value, dtype):
    config = policy.PolicyConfig(blocks=1, channels=8, value=value)  # too narrow for compiled code
    judge = Evaluator(policy.build(config, seed=1), torch.device("cpu"), dtype)
    boards = [board_with(20, 41, 62, 10)] + [board_with(*range(0, 2 * k, 2)) for k in range(1, 5)]
    before = torch.get_num_threads()
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(1)
            whole = judge.evaluate(boards[:count])
            torch.set_num_threads(3)
            parts = judge.evaluate(boards[:count])
            assert torch.get_num_threads() == 3
            for one, other in zip(whole, parts, strict=True):
                assert (one is None) == (other is None)
                if one is not None:
                    np.testing.assert_allclose(one, other, rtol=0.05, atol=1e-3 if dtype == torch.float32 else 0.05)
    finally:
        torch.set_num_threads(before)


def test_weights_go_over_to_a_network_with_a_value_head():
    config = policy.PolicyConfig(blocks=1, channels=8)
    plain = policy.build(config, seed=1).eval()
    both = policy.build(policy.PolicyConfig(blocks=1, channels=8, value=True), seed=2).eval()
    policy.take_weights(both, plain)
    planes = torch.rand(2, 20, 9, 9)
    assert torch.equal(both(planes), plain(planes))
    with pytest.raises(ValueError, match=r"do not fit: value\..* is in one only"):
        policy.take_weights(plain, both)
    with pytest.raises(ValueError, match="do not fit"):
        policy.take_weights(policy.build(policy.PolicyConfig(blocks=1, channels=4)), plain)


def test_weights_go_over_to_a_network_that_sees_more():
    plain = policy.build(policy.PolicyConfig(blocks=1, channels=8), seed=1).eval()
    config = policy.PolicyConfig(blocks=1, channels=8, planes="ladders")
    more = policy.build(config, seed=2).eval()
    policy.take_weights(more, plain)
    board = board_with(20, 41, 62, 10)
    images = [torch.from_numpy(of_board(board, PLANE_SETS[name])[None]).float() for name in ("ladders", "full")]
    assert torch.allclose(more(images[0]), plain(images[1]), atol=1e-6)
    trained = policy.build(config, seed=3).eval()
    half = (trained.state_dict()["stem.weight"] + more.state_dict()["stem.weight"]) / 2
    policy.blend(trained, plain, 0.5)
    assert torch.allclose(trained.state_dict()["stem.weight"], half, atol=1e-6)
    with pytest.raises(ValueError, match=r"do not fit: the planes 'stones' lack 'own stones'"):
        policy.take_weights(policy.build(policy.PolicyConfig(blocks=1, channels=8, planes="stones")), plain)


def test_a_network_of_more_blocks_begins_as_the_one_of_fewer_and_learns_in_all_of_them():
    few = policy.build(policy.PolicyConfig(blocks=1, channels=8), seed=1).eval()
    config = policy.PolicyConfig(blocks=3, channels=8, value=True)
    many = policy.build(config, seed=2).eval()
    policy.take_weights(many, few)
    planes = torch.rand(2, 20, 9, 9)
    assert torch.equal(many(planes), few(planes))
    optimizer = torch.optim.SGD(many.train().parameters(), 0.1)
    begun = {name: tensor.clone() for name, tensor in many.state_dict().items()}
    for _ in range(2):  # in the first step only the last filters of a block that adds nothing have a gradient
        optimizer.zero_grad()
        many(planes)[:, 3].sum().backward()
        optimizer.step()
    moved = {name for name, tensor in many.state_dict().items() if not torch.equal(tensor, begun[name])}
    assert {f"blocks.{i}.conv{k}.weight" for i in range(3) for k in (1, 2)} <= moved
    policy.blend(many.eval(), few, 0)
    assert torch.equal(many(planes), few(planes))
    with pytest.raises(ValueError, match="do not fit"):
        policy.take_weights(few, many)
    pooled = [policy.build(policy.PolicyConfig(blocks=n, channels=8, pool=True)) for n in (2, 4)]
    with pytest.raises(ValueError, match="the pooling half-way would be elsewhere"):
        policy.take_weights(pooled[1], pooled[0])
    with pytest.raises(ValueError, match="do not fit"):
        policy.take_weights(policy.build(policy.PolicyConfig(blocks=3, channels=4)), few)


def test_a_network_of_more_channels_begins_as_the_one_of_fewer_and_learns_in_all_of_them():
    narrow = policy.build(policy.PolicyConfig(blocks=2, channels=8, value=True, profiles=True), seed=1)
    planes = torch.rand(8, 20, 9, 9, generator=torch.Generator().manual_seed(1))
    narrow.train()(planes)  # statistics that are not those of a fresh network
    narrow.eval()
    config = policy.PolicyConfig(blocks=3, channels=12, planes="ladders", value=True, profiles=True)
    wide = policy.build(config, seed=2).eval()
    policy.take_weights(wide, narrow)
    ladders = PLANE_SETS["ladders"].planes
    seen = torch.zeros(8, len(ladders), 9, 9)
    seen[:, [ladders.index(name) for name in PLANE_SETS["full"].planes]] = planes
    who = torch.tensor([[1, 2]] * 8)
    for mine, other in zip(wide.heads(seen, who), narrow.heads(planes, who), strict=True):
        torch.testing.assert_close(mine, other)
    assert wide.trunk(seen, who)[:, 8:].std() > 0  # further channels have something to say from the start
    begun = {name: tensor.clone() for name, tensor in wide.named_parameters()}
    optimizer = torch.optim.SGD(wide.train().parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        out = wide.heads(seen, who)
        (out.policy.logsumexp(1).mean() + out.owner.mean() + out.doubt.mean()).backward()
        optimizer.step()
    for name, tensor in wide.named_parameters():
        if tensor.ndim == 4 and tensor.shape[0] == 12:
            assert (tensor != begun[name]).any(dim=1).flatten(1).any(dim=1).all(), name  # each output channel
        if tensor.ndim == 4 and tensor.shape[1] == 12:
            assert (tensor != begun[name]).any(dim=0).flatten(1).any(dim=1).all(), name  # and what is read of each
    policy.blend(wide.eval(), narrow, 0)
    torch.testing.assert_close(wide.heads(seen, who).policy, narrow.heads(planes, who).policy)


def test_a_blend_lies_between_two_networks_and_keeps_what_the_first_lacks():
    first = policy.build(policy.PolicyConfig(blocks=1, channels=8), seed=1)
    later = policy.build(policy.PolicyConfig(blocks=1, channels=8, value=True), seed=2)
    before = {name: tensor.clone() for name, tensor in later.state_dict().items()}
    policy.blend(later, first, 0.75)
    for name, tensor in later.state_dict().items():
        if name.startswith("value.") or not tensor.is_floating_point():
            assert torch.equal(tensor, before[name])
        else:
            torch.testing.assert_close(tensor, 0.75 * before[name] + 0.25 * first.state_dict()[name])


def test_the_mean_of_networks_is_that_of_their_weights():
    config = policy.PolicyConfig(blocks=1, channels=8, value=True)
    models = [policy.build(config, seed=seed) for seed in (1, 2, 3)]
    for number, model in enumerate(models):
        model.train()(torch.randn(4 + number, 20, 9, 9))  # so that the running statistics differ, too
    mean = policy.average(models, [0.5, 0.25, 0.25])
    states = [model.state_dict() for model in models]
    for name, tensor in mean.state_dict().items():
        if tensor.is_floating_point():
            wanted = 0.5 * states[0][name] + 0.25 * states[1][name] + 0.25 * states[2][name]
            torch.testing.assert_close(tensor, wanted)
        else:
            assert torch.equal(tensor, states[0][name])
    assert not mean.training
    smaller = policy.build(policy.PolicyConfig(blocks=1, channels=4, value=True))
    with pytest.raises(ValueError, match=r"channels=8.*channels=4"):
        policy.average([models[0], smaller], [0.5, 0.5])


def test_the_command_that_takes_the_mean(tmp_path):
    from click.testing import CliRunner

    config = policy.PolicyConfig(blocks=1, channels=8)
    paths = [str(tmp_path / f"{name}.safetensors") for name in "ab"]
    models = [policy.build(config, seed=seed).eval() for seed in (1, 2)]
    for path, model in zip(paths, models, strict=True):
        policy.save(path, config, model, {"name": path[-13:]})
    out = str(tmp_path / "mean.safetensors")
    done = CliRunner().invoke(average, [*paths, "--shares", "1,3", "-o", out])
    assert done.exit_code == 0, done.output
    wanted = policy.average(models, [0.25, 0.75]).state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in policy.load(out).state_dict().items())
    card = checkpoint.load(out, "policy").meta["card"]
    assert [part["share"] for part in card["mean of"]] == [0.25, 0.75]
    assert [part["network"] for part in card["mean of"]] == [checkpoint.signature(path) for path in paths]
    assert card["mean of"][1]["card"] == {"name": "b.safetensors"}
    for options, words in (
        ([*paths, "--shares", "1"], "one number for each of the 2"),
        ([*paths, "--shares", "1,x"], "not '1,x'"),
        ([*paths, "--shares", "0,0"], "their sum"),
        ([*paths, "--shares", "1e308,1e308"], "their sum"),
        ([paths[0], str(tmp_path / "none.safetensors")], "none.safetensors: no such file"),
    ):
        refused = CliRunner().invoke(average, [*options, "-o", str(tmp_path / "no")])
        assert refused.exit_code and words in refused.output
    assert not (tmp_path / "no").exists()
    checkpoint.save(paths[0], policy.KIND, {"config": config.to_dict()}, models[0].state_dict())  # has no card
    done = CliRunner().invoke(average, [*paths, "-o", out])
    assert done.exit_code == 0, done.output
    assert checkpoint.load(out).meta["card"]["mean of"][0]["card"] is None


def test_a_value_head_needs_a_board_that_is_seen_as_one():
    with pytest.raises(ValueError, match="convolutional"):
        policy.PolicyConfig(kind="dense", value=True)


@pytest.mark.parametrize("size", [9, 19])
def test_pooling_keeps_the_board_but_not_the_point(size):
    """With pooling, the network answers for every point; without, a shift of the input shifts its features."""
    pooled = policy.build(policy.PolicyConfig(blocks=2, channels=8, planes="stones", pool=True), seed=1).eval()
    plain = policy.build(policy.PolicyConfig(blocks=2, channels=8, planes="stones"), seed=1).eval()
    board = torch.zeros(1, 1, 40, 40)
    board[..., 20, 20] = 1
    moved = board.roll(1, dims=3)
    with torch.no_grad():
        assert pooled(torch.zeros(1, 1, size, size)).shape == (1, size * size + 1)
        inside = slice(12, 30)
        for model, same in ((plain, True), (pooled, False)):
            here, there = model.trunk(board)[..., inside], model.trunk(moved).roll(-1, dims=3)[..., inside]
            assert torch.allclose(here, there, atol=1e-5) == same


def test_a_stem_without_a_middle_is_refused():
    with pytest.raises(ValueError, match="odd side"):
        policy.PolicyConfig(stem=4)


def test_symmetries_are_averaged_for_each_board_alone():
    judge = Evaluator(policy.build(policy.PolicyConfig(blocks=1, channels=16, value=True), seed=3), torch.device("cpu"))
    torch.manual_seed(0)
    torch.nn.init.normal_(judge.model.value.owner.weight)
    boards = [Board(5), Board(5)]
    for point in (7, 3, 12):
        boards[1].play(boards[1].to_move, point)
    planes = np.stack([of_board(board, judge.plane_set) for board in boards])
    needed = np.array([0.5, -0.5], np.float32)
    together = judge.evaluate_planes(planes, needed, 8)
    for number in range(2):
        alone = judge.evaluate_planes(planes[number : number + 1], needed[number : number + 1], 8)
        for one, both in zip(alone, together):
            np.testing.assert_allclose(both[number], one[0], atol=1e-4)
