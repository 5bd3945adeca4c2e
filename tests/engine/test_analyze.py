"""Analysing a game: losses by a judge whose views are known, and the command as a user calls it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console
from sgfmill import sgf, sgf_grammar

import engine.analyze_command
from engine.analyze import Judgement, Loss, Standing, View, judge, summarise, worst
from engine.analyze_command import analyze
from engine.analyze_graph import graph
from engine.analyze_notes import game_note, move_note, print_tables, properties, variation_note
from engine.rules import NAMED, Needed
from gocnn import policy
from gocnn.go import BLACK, WHITE, Board
from gocnn.go.coords import gtp_to_point
from sgf_data.annotate import Step, read_annotated
from sgf_data.reader import read_games
from sgf_data.record import GameRecord

# Losses, by a judge whose views are known


class Judge:
    """Thinks what stones are worth: every point has a value in points for who holds it, 0 to 5 by column."""

    def __init__(self, best: str = "E1") -> None:
        self.best = gtp_to_point(best, 5)
        self.looks = 0

    def look(self, board: Board, needed: Needed) -> View:
        self.looks += 1
        worth = np.tile(np.arange(5.0), (5, 1))
        lead = float((board.stones * worth).sum() - needed.lead) * board.to_move
        best = self.best if board.is_legal(board.to_move, self.best) else 1
        # Who moves next takes the best point there is.
        lead += worth.ravel()[best]
        priors = np.linspace(1, 2, 26, dtype=np.float32)
        return View(best, (best, 0), Standing(1 / (1 + np.exp(-lead / 10)), lead), priors / priors.sum())


def steps(*vertices: str) -> tuple[list[Step], Board]:
    board, colour, found = Board(5, ko="simple"), BLACK, []
    for number, vertex in enumerate(vertices, 1):
        board.to_move = colour
        found.append(Step(number, colour, gtp_to_point(vertex, 5), board.copy(), number))
        board.play(colour, found[-1].point)
        colour = -colour
    return found, board


def test_a_loss_is_what_the_player_had_less_what_is_left() -> None:
    played, final = steps("C3", "E1")
    first, second = judge(played, final, 0.0, Judge())
    # Black could have had E1, worth 4. He took C3, worth 2, and left E1; with E1 White would have had B5, worth 1.
    assert first.after and first.after.lead == pytest.approx(2 - 4)
    assert first.before.standing and first.before.standing.lead == pytest.approx(4)
    assert first.lost and first.lost.points == pytest.approx(5) and first.mistake
    assert 0 < first.lost.winrate < 1
    assert second.point == second.before.best and second.lost == Loss(0, 0)
    assert second.colour == WHITE and not second.mistake


def test_what_could_not_be_avoided_is_no_mistake() -> None:
    class Pessimist(Judge):
        """Sees only after the move that all is lost."""

        def look(self, board: Board, needed: Needed) -> View:
            view = super().look(board, needed)
            lead = 0.0 if not board.moves else 20.0
            return View(view.best, view.line, Standing(0.5 + lead / 50, lead), view.priors)

    played, final = steps("C3")
    (first,) = judge(played, final, 0.0, Pessimist())
    assert first.after and first.after.lead == -20
    assert first.lost == Loss(0, 0) and not first.mistake


def test_only_doubtful_moves_cost_a_second_look() -> None:
    judge_of_best, judge_of_bad = Judge("E1"), Judge("E1")
    assert len(list(judge(*steps("E1"), 0.0, judge_of_best))) == 1
    assert len(list(judge(*steps("A1"), 0.0, judge_of_bad))) == 1
    assert (judge_of_best.looks, judge_of_bad.looks) == (2, 3)


def test_stones_set_up_between_moves_are_nobodys_mistake() -> None:
    played, _ = steps("E1", "A1")
    changed = played[1].board.copy()
    changed.setup([4, 9, 14], [WHITE] * 3)
    changed.to_move = WHITE
    first, _ = judge([played[0], replace(played[1], board=changed)], changed, 0.0, Judge())
    assert first.lost and first.lost.points == 0 and first.after and first.after.lead == pytest.approx(4 - 1)


def test_rank_and_probability_are_the_policys() -> None:
    played, final = steps("A5", "E1")
    first, second = judge(played, final, 0.0, Judge())
    assert first.rank == 26 and first.first == 25
    assert second.rank == 26 - gtp_to_point("E1", 5)
    assert second.probability == pytest.approx(float(second.before.priors[second.point]))


def judged(number: int, colour: int, lost: Loss | None, probability: float = 0.5) -> Judgement:
    view = View(7, (7,), Standing(0.5, 0.0), np.full(26, 1 / 26, np.float32))
    return Judgement(number, colour, 3, 1, probability, 7, view, None, lost)


def test_the_worst_come_first() -> None:
    some = [
        judged(1, BLACK, Loss(0.02, 4.0)), judged(2, WHITE, Loss(0.5, 9.0)), judged(3, BLACK, Loss(0.4, 1.0)),
        judged(5, BLACK, Loss(0.05, 2.0)), judged(7, BLACK, Loss(0.1, 7.0)),
    ]  # fmt: skip
    assert [j.number for j in worst(some, BLACK, 5)] == [3, 7, 1]
    assert [j.number for j in worst(some, BLACK, 1)] == [3]
    numbers = summarise(some, BLACK)
    assert (numbers.moves, numbers.mistakes, numbers.points_lost) == (4, 3, pytest.approx(3.5))
    assert summarise([], WHITE).points_lost is None
    surprises = [judged(1, BLACK, None, 0.005), judged(3, BLACK, None, 0.001), judged(5, BLACK, None)]
    assert [j.number for j in worst(surprises, BLACK, 5)] == [3, 1]


def test_all_that_the_notes_say_is_known_as_ours_again() -> None:
    view = View(7, (7, 25, 12), Standing(0.5, 0.0), np.full(26, 1 / 26, np.float32))
    judgements = [
        judged(1, BLACK, None, 0.001), judged(2, WHITE, None, 1e-7), judged(3, BLACK, Loss(0.0, 0.0), 1.0),
        replace(judged(4, WHITE, Loss(0.456, 12.3)), after=Standing(0.123, -4.5), before=view),
        replace(judged(5, BLACK, Loss(0.02, 4.0)), after=Standing(0.9, 0.0), before=view, point=25),
        replace(judged(6, WHITE, Loss(0.0, 0.0)), after=Standing(0.5, 1.5), point=7),
    ]  # fmt: skip
    bare = b"(;SZ[5];B[ee];W[aa];B[ba];W[ca];B[bb];W[cc])"
    game, _ = read_annotated(bare)
    for step, judgement in zip(game.steps, judgements, strict=True):
        game.note(step.node, move_note(judgement, 5), **properties(judgement))
        if judgement.mistake:
            game.add_variation(step, judgement.before.line, *variation_note(judgement, 5))
    for some in (judgements, judgements[:2], judgements[3:4]):
        game.note(0, game_note(some, 5, "a network", 5))
    assert game.to_bytes().count(b"gocnn") == 3 + 6 + 2 * 4
    assert read_annotated(game.to_bytes())[0].to_bytes() == read_annotated(bare)[0].to_bytes()


# The command

GAME = """(;FF[4]GM[1]SZ[9]KM[6.5]PB[Müller]PW[小林]BR[5d]CA[UTF-8]RE[B+R]C[a game]
;B[ee];W[cc]C[as it was](;B[gc];W[ce];B[];W[gg])(;B[gg];W[gc]))"""


def test_a_long_name_leaves_room_for_the_numbers() -> None:
    played, final = steps("A1", "E1")
    judgements = list(judge(played, final, 0.0, Judge()))
    screen = Console(width=80, file=io.StringIO())
    print_tables(judgements, 5, {BLACK: "Black, " + "an engine and its options " * 5, WHITE: "White"}, 5, screen)
    printed = screen.file.getvalue()  # type: ignore[attr-defined]
    assert all(heading in printed for heading in ("moves", "top 1", "top 5", "points a move", "mistakes"))
    assert max(map(len, printed.splitlines())) <= 80


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small untrained networks, with and without a value head, and the lecture's for another size."""
    folder = tmp_path_factory.mktemp("networks")
    configs = {
        "value": policy.PolicyConfig(blocks=1, channels=8, value=True),
        "policy": policy.PolicyConfig(blocks=1, channels=8),
        "dense": policy.PolicyConfig(kind="dense", blocks=1, channels=8, planes="stones"),
    }
    for name, config in configs.items():
        policy.save(folder / f"{name}.safetensors", config, policy.build(config, seed=1), {})
    return {name: folder / f"{name}.safetensors" for name in configs}


@pytest.fixture
def game(tmp_path: Path) -> Path:
    path = tmp_path / "game.sgf"
    path.write_text(GAME, encoding="utf-8")
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(analyze, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_game_by_search(game: Path, networks: dict[str, Path]) -> None:
    code, out, err = run(game, "--model", networks["value"], "--visits", 6)
    assert code == 0
    assert "Black, Müller 5d" in out and "White, 小林" in out
    assert "6 moves are in" in err
    target = game.with_name("game.analyzed.sgf")
    with Image.open(target.with_suffix(".png")) as picture:
        assert picture.width > 600
    before, after = read_games(game.read_bytes())[0], read_games(target.read_bytes())[0]
    assert isinstance(before, GameRecord) and isinstance(after, GameRecord)
    assert before.points.tolist() == after.points.tolist() and after.white == "小林"
    nodes = list(sgf_grammar.main_sequence_iter(sgf_grammar.parse_sgf_game(target.read_bytes())))
    assert nodes[0]["C"][0].startswith(
        b"a game\n\ngocnn: analysed with value.safetensors, 6 visits a position, komi 6.5, area scoring"
    )
    assert nodes[2]["C"][0].startswith(b"as it was\n\ngocnn: Black wins ")
    for node in nodes[1:]:
        assert 0 <= float(node["SBKV"][0]) <= 100 and node["V"] and b"is choice" in node["C"][0]
    assert sgf.Sgf_game.from_bytes(target.read_bytes()).get_charset() == "UTF-8"
    # a second analysis of the result replaces the first, and both find the same
    assert run(target, "--model", networks["value"], "--visits", 6, "-o", target, "--no-graph")[0] == 0
    again = list(sgf_grammar.main_sequence_iter(sgf_grammar.parse_sgf_game(target.read_bytes())))
    assert again == nodes


def test_json_for_machines(game: Path, networks: dict[str, Path]) -> None:
    code, out, _ = run(game, "--model", networks["value"], "--quick", "--json", "--no-graph", "--komi", 0)
    document = json.loads(out)
    assert code == 0 and document["complete"] and document["picture"] is None and document["komi"] == 0
    assert [move["move"] for move in document["moves"]] == ["E5", "C7", "G7", "C5", "pass", "G3"]
    assert [move["colour"] for move in document["moves"]] == ["black", "white"] * 3
    assert document["players"]["black"]["name"] == "Müller 5d"
    for move in document["moves"]:
        assert 0 <= move["winrate"] <= 1 and move["points_lost"] >= 0 and move["rank"] >= 1
        assert move["winrate_lost"] >= 0 and move["line"][0] == move["best"]
    assert not game.with_name("game.analyzed.png").exists()


class Territory(Judge):
    """Takes the stones for all that is area, as random playouts would on a full board."""

    def look(self, board: Board, needed: Needed) -> View:
        view = super().look(board, needed)
        lead = (float(board.stones.sum()) - needed.lead) * board.to_move
        return View(view.best, view.line, Standing(0.5, lead), view.priors)


def test_leads_are_by_the_rules() -> None:
    played, final = steps("A1", "B1", "C1")
    area = [j.after.lead for j in judge(played, final, 0.5, Territory()) if j.after]
    assert area == [1 - 0.5, -(0 - 0.5), 1 - 0.5]
    territory = [j.after.lead for j in judge(played, final, 0.5, Territory(), NAMED["japanese"]) if j.after]
    assert territory == [-0.5 - 0.5 + 1, 0.5 + 0.5, -0.5 - 0.5 + 1], "a stone is no point; who plays last, half a one"


def test_the_record_or_an_option_says_by_which_rules(tmp_path: Path, networks: dict[str, Path]) -> None:
    path = tmp_path / "game.sgf"
    how = ("--model", networks["value"], "--quick", "--json", "--no-graph")
    record = "(;SZ[9]KM[0.5]%sHA[3]AB[cc][gg][cg];W[ee];B[gc];W[ce])"
    leads = {}
    for named in ("", "RU[Chinese]", "RU[Japanese]"):
        path.write_text(record % named)
        code, out, _ = run(path, *how)
        document = json.loads(out)
        assert code == 0 and document["rules"]["scoring"] == ("TERRITORY" if "Jap" in named else "AREA")
        leads[named] = [move["lead"] * (1 if move["colour"] == "black" else -1) for move in document["moves"]]
    assert np.subtract(leads[""], leads["RU[Chinese]"]) == pytest.approx([3, 3, 3], abs=0.01)
    _, out, _ = run(path, *how, "--rules", "chinese")
    by_option = [move["lead"] * (1 if move["colour"] == "black" else -1) for move in json.loads(out)["moves"]]
    assert by_option == pytest.approx(leads["RU[Chinese]"])
    # Black has put 3 stones more than White on the board, and 2 or 3 after the moves.
    assert np.subtract(leads[""], leads["RU[Japanese]"]) == pytest.approx([2.5, 2.5, 2.5], abs=0.01)
    code, _, err = run(path, *how, "--rules", "none")
    assert code == 2 and "there are no rules named 'none'" in err


def test_suicide_where_the_rules_allow_it(tmp_path: Path, networks: dict[str, Path]) -> None:
    path = tmp_path / "game.sgf"
    record = "(;SZ[5]KM[0.5]RU[%s];B[ee];W[ac];B[aa];W[bb];B[ed];W[ba];B[ab];W[ec])"
    for named, moves in (("NZ", 8), ("Chinese", 6)):
        path.write_text(record % named)
        code, out, err = run(path, "--model", networks["value"], "--quick", "--json", "--no-graph")
        assert code == 0 and len(json.loads(out)["moves"]) == moves
        assert ("move 7 is illegal (suicide)" in err) == (named == "Chinese")


def test_a_network_without_a_value_head_says_so_and_judges_by_policy(game: Path, networks: dict[str, Path]) -> None:
    code, out, err = run(game, "--model", networks["policy"])
    assert code == 0 and "no value head" in err and "surprises" in out
    data = game.with_name("game.analyzed.sgf").read_bytes()
    assert b"is choice" in data and b"SBKV" not in data and b"wins" not in data
    code, out, err = run(game, "--model", networks["policy"], "--quick", "--json")
    assert code == 0 and "no value head" not in err
    assert json.loads(out)["moves"][0]["winrate"] is None


def test_random_playouts_where_visits_are_asked_for(game: Path, networks: dict[str, Path]) -> None:
    code, out, _ = run(game, "--model", networks["policy"], "--visits", 3, "--json", "--no-graph")
    assert code == 0 and all(0 <= move["winrate"] <= 1 for move in json.loads(out)["moves"])


def test_ctrl_c_keeps_what_is_done(game: Path, networks: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    original = engine.analyze_command._looker

    def impatient(*arguments: object) -> object:
        looker, how = original(*arguments)  # type: ignore[arg-type]

        class Impatient:
            def look(self, board: Board, needed: Needed) -> View:
                nonlocal looks
                looks += 1
                if looks > 4:
                    raise KeyboardInterrupt
                return looker.look(board, needed)

        return Impatient(), how

    monkeypatch.setattr(engine.analyze_command, "_looker", impatient)
    code, out, err = run(game, "--model", networks["policy"], "--quick")
    assert code == 130 and "stopped; 3 moves are in" in err and "players" in out
    record, _ = read_annotated(game.with_name("game.analyzed.sgf").read_bytes())
    assert len(record.steps) == 6
    assert game.with_name("game.analyzed.sgf").read_bytes().count(b"is choice") == 3
    game.with_name("game.analyzed.sgf").unlink()
    looks = 9
    code, _, err = run(game, "--model", networks["policy"], "--quick")
    assert code == 130 and "nothing is written" in err and not game.with_name("game.analyzed.sgf").exists()


@pytest.mark.parametrize(
    "text, reason",
    [
        ("no game", "no SGF data found"),
        ("(;SZ[9];B[aa]", "unexpected end"),
        ("(;SZ[9])", "the game has no moves"),
        ("(;SZ[9];B[ee];W[ee])", None),
    ],
)
def test_bad_records_are_one_line(tmp_path: Path, networks: dict[str, Path], text: str, reason: str | None) -> None:
    path = tmp_path / "bad.sgf"
    path.write_text(text)
    code, _, err = run(path, "--model", networks["policy"], "--quick")
    if reason is None:
        assert code == 0 and "up to its move 1: move 2 is illegal (occupied)" in err
    else:
        assert code == 1 and err.startswith("Error: ") and reason in err and err.count("\n") == 1


def test_a_name_is_no_markup(tmp_path: Path, networks: dict[str, Path]) -> None:
    path = tmp_path / "game.sgf"
    path.write_text(r"(;SZ[9]PB[Kim[/x\]]PW[[red\] Lee];B[ee];W[cc])")
    code, out, _ = run(path, "--model", networks["policy"], "--quick", "--no-graph")
    assert code == 0 and "Kim[/x]" in out and "[red] Lee" in out


def test_a_directory_that_is_not_there_is_told_before_the_work(game: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "none" / "x.sgf"
    result = CliRunner().invoke(analyze, [str(game), "-o", str(wanted)])
    assert result.exit_code == 1
    assert result.output == f"Error: {wanted}: its directory is not there, or may not be written to\n"
    result = CliRunner().invoke(analyze, [str(game), "--komi", "nan"])
    assert result.exit_code == 2 and "nan is not a finite number" in result.output


def test_one_game_does_not_take_the_place_of_its_collection(tmp_path: Path, networks: dict[str, Path]) -> None:
    path = tmp_path / "two.sgf"
    path.write_text("(;SZ[9];B[ee])(;SZ[9];B[cc])")
    code, _, err = run(path, "--model", networks["policy"], "--quick", "--game", 2, "-o", path)
    assert code == 2 and "holds 2 games" in err
    assert path.read_text() == "(;SZ[9];B[ee])(;SZ[9];B[cc])"


def test_a_game_does_not_take_the_place_of_others_that_cannot_be_read(
    tmp_path: Path, networks: dict[str, Path]
) -> None:
    path = tmp_path / "three.sgf"
    path.write_text("(;SZ[9];B[ee])(;SZ[9];B[cc])(;SZ[9];B[gg")
    how = ("--model", networks["policy"], "--quick", "--no-graph")
    code, _, err = run(path, *how, "-o", path)
    assert code == 2 and "holds more than the one game that can be read" in err
    assert path.read_text() == "(;SZ[9];B[ee])(;SZ[9];B[cc])(;SZ[9];B[gg"
    code, _, err = run(path, *how)
    assert code == 0 and "Something below the first game can't be read" in err
    assert path.with_name("three.1.analyzed.sgf").exists()


def test_a_network_may_have_any_name(game: Path, networks: dict[str, Path], tmp_path: Path) -> None:
    model = networks["policy"].rename(tmp_path / "réseau.safetensors")
    code, _, _ = run(game, "--model", model, "--quick")
    model.rename(networks["policy"])
    assert code == 0 and b"analysed with r\\\\xe9seau.safetensors" in game.with_name("game.analyzed.sgf").read_bytes()


def test_a_record_does_not_get_its_pictures_name(game: Path, networks: dict[str, Path], tmp_path: Path) -> None:
    code, _, err = run(game, "--model", networks["policy"], "--quick", "-o", tmp_path / "r.png")
    assert code == 2 and "r.png is its picture's name" in err
    (tmp_path / "r.png").mkdir()
    code, _, err = run(game, "--model", networks["policy"], "--quick", "-o", tmp_path / "r.sgf")
    assert code == 1 and err.endswith("r.png: Is a directory\n")


def test_what_the_network_cannot_do_is_one_line(game: Path, networks: dict[str, Path]) -> None:
    code, _, err = run(game, "--model", networks["dense"], "--quick")
    assert code == 1 and err == "Error: this fully-connected network plays 19x19 boards, not 9x9\n"
    code, _, err = run(game, "--model", game)
    assert code == 1 and "not a checkpoint" in err and err.count("\n") == 1
    assert run(game, "--quick", "--visits", 9)[0] == 2


def test_stones_that_black_plays_first_are_a_handicap(tmp_path: Path, networks: dict[str, Path]) -> None:
    path = tmp_path / "played.sgf"
    path.write_text("(;SZ[9]RU[Chinese];B[cc];B[gg];B[gc];W[ee])")
    code, out, _ = run(path, "--model", networks["policy"], "--quick", "--json")
    assert code == 0
    assert (json.loads(out)["handicap"], json.loads(out)["komi"]) == (3, 0.5)


def test_a_game_of_a_collection(tmp_path: Path, networks: dict[str, Path]) -> None:
    path = tmp_path / "two.sgf"
    path.write_text("(;SZ[9];B[ee])(;SZ[9]HA[2]AB[cc][gg];W[ee])")
    code, out, err = run(path, "--model", networks["policy"], "--quick", "--json", "--game", 2)
    document = json.loads(out)
    assert code == 0 and (document["handicap"], document["komi"]) == (2, 0.5)
    assert document["moves"][0]["colour"] == "white" and path.with_name("two.2.analyzed.sgf").exists()
    code, _, err = run(path, "--model", networks["policy"], "--quick")
    assert code == 0 and "holds 2 games" in err and path.with_name("two.1.analyzed.sgf").exists()


def test_notes_and_the_graph_tell_how_black_stands_whoever_moved() -> None:
    played, final = steps("E1", "A5")
    both = list(judge(played, final, 0.0, Judge()))
    assert [properties(judgement)["V"] for judgement in both] == ["3.0", "5.0"]
    assert [properties(judgement)["SBKV"] for judgement in both] == ["57.44", "62.25"]
    first_lines = [move_note(judgement, 5).splitlines()[0] for judgement in both]
    assert first_lines == ["Black wins 57 %, Black leads by 3.0", "Black wins 62 %, Black leads by 5.0"]
    upper, lower = graph(both, 5).axes
    assert upper.lines[0].get_ydata() == pytest.approx([57.44, 62.25], abs=0.01)
    assert lower.lines[0].get_ydata() == pytest.approx([3, 5])


def test_a_summary_counts_first_choices_and_those_among_the_first_five() -> None:
    some = [replace(judged(number, BLACK, None), rank=rank) for number, rank in enumerate((1, 2, 5, 6), 1)]
    numbers = summarise(some, BLACK)
    assert (numbers.first_choice, numbers.top_five) == (0.25, 0.75)
