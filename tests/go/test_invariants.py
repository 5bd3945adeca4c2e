"""What must hold in any game, found by hypothesis: against the rules written out plainly."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gocnn.go import BLACK, EMPTY, WHITE, Board
from gocnn.go.symmetry import SYMMETRIES, point_maps
from tests.go.support import flood, liberties_of, plain_play

#: Choices of a game: whether the colour is the one to move, and which of the legal moves it plays.
choices = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9999)), max_size=60)
rules = st.sampled_from(["simple", "positional", "situational"])
sizes = st.sampled_from([2, 3, 3, 4, 4, 5, 6, 9])


def choose(board: Board, turn: int, index: int) -> tuple[int, int]:
    """A colour (now and then the wrong one) and one of its legal points, the pass among them."""
    colour = board.to_move if turn else -board.to_move
    legal = np.flatnonzero(board.legal_mask(colour))
    return colour, int(legal[index % len(legal)])


def plain_reason(board: Board, seen: list[tuple[bytes, int]], colour: int, point: int) -> str | None:
    """Why a move is illegal, by the rules as they are written; `seen`: positions and who moved."""
    stones = board.stones
    if stones.ravel()[point] != EMPTY:
        return "occupied"
    outcome = plain_play(stones, colour, point)
    if outcome.lost and not board.suicide:
        return "suicide"
    after = outcome.stones.tobytes()
    if board.ko == "positional" and after in {position for position, _ in seen}:
        return "superko"
    if board.ko == "situational" and (after, -colour) in seen:
        return "superko"
    if board.ko == "simple" and len(seen) > 1 and len(outcome.captured) == 1:
        # A ko: the position before the opponent's last move comes back at once.
        before, mover = seen[-2]
        if mover == -colour and before == after and board.ko_point == point:
            return "ko"
    return None


@settings(max_examples=40, deadline=None)
@given(sizes, rules, st.booleans(), choices)
def test_play_is_as_the_rules_say(size: int, ko: str, suicide: bool, game: list) -> None:
    board = Board(size, ko=ko, suicide=suicide)
    prisoners = {BLACK: 0, WHITE: 0}
    moves: list[tuple[int, int]] = []
    seen: list[tuple[bytes, int]] = []
    for turn, index in game:
        now = [*seen, (board.stones.tobytes(), board.to_move)]
        for colour in (BLACK, WHITE):
            mask = board.legal_mask(colour)
            assert mask[-1]
            for point in range(size * size):
                reason = board.why_illegal(colour, point)
                assert mask[point] == (reason is None) == board.is_legal(colour, point)
                plain = plain_reason(board, now, colour, point)
                assert reason == plain or (reason, plain) == ("ko", "superko")
        before = board.stones
        colour, point = choose(board, turn, index)
        seen.append((before.tobytes(), colour))
        captured = board.play(colour, point)
        moves.append((colour, point))
        after = board.stones
        assert board.moves == moves
        assert board.to_move == -colour
        if point == board.pass_point:
            assert captured == 0
            assert np.array_equal(before, after)
        else:
            outcome = plain_play(before, colour, point)
            assert np.array_equal(after, outcome.stones)
            assert captured == len(outcome.captured)
            prisoners[colour] += len(outcome.captured)
            prisoners[-colour] += len(outcome.lost)
        assert board.prisoners == prisoners
        placed = sum(p != board.pass_point for _, p in moves)
        assert np.count_nonzero(after) == placed - sum(prisoners.values())


@settings(max_examples=60, deadline=None)
@given(sizes, rules, st.booleans(), choices)
def test_chains_and_liberties(size: int, ko: str, suicide: bool, game: list) -> None:
    board = Board(size, ko=ko, suicide=suicide)
    for turn, index in game:
        board.play(*choose(board, turn, index))
    stones, liberties = board.stones, board.liberties()
    for point in range(size * size):
        if stones.ravel()[point] == EMPTY:
            assert liberties.ravel()[point] == 0
            assert board.chain(point) == []
        else:
            assert liberties.ravel()[point] == len(liberties_of(stones, point)) > 0
            assert board.chain(point) == sorted(flood(stones, point)[0])


@settings(max_examples=60, deadline=None)
@given(sizes, rules, st.booleans(), choices)
def test_undo_restores_everything(size: int, ko: str, suicide: bool, game: list) -> None:
    def state() -> tuple[object, ...]:
        return (
            board.stones.tobytes(),
            board.hash,
            board.prisoners,
            board.ko_point,
            board.moves,
            board.to_move,
            board.legal_mask(BLACK).tobytes(),
            board.legal_mask(WHITE).tobytes(),
        )

    board = Board(size, ko=ko, suicide=suicide)
    states = []
    for turn, index in game:
        states.append(state())
        board.play(*choose(board, turn, index))
    end = state()
    copy = board.copy()
    for expected in reversed(states):
        board.undo()
        assert state() == expected
    for colour, point in copy.moves:
        board.play(colour, point)
    assert state() == end


@settings(max_examples=40, deadline=None)
@given(sizes, rules, st.booleans(), choices, st.integers(0, SYMMETRIES - 1))
def test_symmetries_commute_with_play(size: int, ko: str, suicide: bool, game: list, symmetry: int) -> None:
    where = point_maps(size)[symmetry]

    def moved(values: np.ndarray) -> np.ndarray:
        """An array by point, with or without the pass, carried along by the symmetry."""
        flat = values.ravel()
        image = np.empty_like(flat)
        image[where[: flat.size]] = flat
        return image

    board, image = (Board(size, ko=ko, suicide=suicide) for _ in range(2))
    for turn, index in game:
        colour, point = choose(board, turn, index)
        assert board.play(colour, point) == image.play(colour, int(where[point]))
    assert np.array_equal(moved(board.stones), image.stones.ravel())
    assert np.array_equal(moved(board.liberties()), image.liberties().ravel())
    assert board.area_score(0.5) == image.area_score(0.5)
    assert board.territory_score(0.5) == image.territory_score(0.5)
    for colour in (BLACK, WHITE):
        assert np.array_equal(moved(board.legal_mask(colour)), image.legal_mask(colour))
        assert np.array_equal(moved(board.pass_alive(colour)), image.pass_alive(colour).ravel())
        for point in range(size * size):
            assert board.is_own_eye(colour, point) == image.is_own_eye(colour, int(where[point]))


@settings(max_examples=60, deadline=None)
@given(sizes, choices)
def test_hash_is_of_the_stones_alone(size: int, game: list) -> None:
    board = Board(size, ko="simple", suicide=True)
    positions: dict[int, bytes] = {}
    for turn, index in game:
        board.play(*choose(board, turn, index))
        stones = board.stones
        fresh = Board(size)
        fresh.setup(range(size * size), stones.ravel().tolist())
        assert fresh.hash == board.hash
        assert np.array_equal(fresh.stones, stones)
        assert np.array_equal(fresh.liberties(), board.liberties())
        assert positions.setdefault(board.hash, stones.tobytes()) == stones.tobytes()


@settings(max_examples=60, deadline=None)
@given(sizes, choices)
def test_colours_are_alike(size: int, game: list) -> None:
    """Exchanging the colours of all moves exchanges everything."""
    board, other = Board(size), Board(size)
    other.to_move = WHITE
    for turn, index in game:
        colour, point = choose(board, turn, index)
        assert board.play(colour, point) == other.play(-colour, point)
    assert np.array_equal(board.stones, -other.stones)
    assert np.array_equal(board.legal_mask(BLACK), other.legal_mask(WHITE))
    assert np.array_equal(board.pass_alive(BLACK), other.pass_alive(WHITE))
    assert board.area_score() == -other.area_score()
    assert board.territory_score() == -other.territory_score()
