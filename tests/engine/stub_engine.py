"""A GTP engine that does as it is told, well or badly, for the tests of client and referee.

It knows no Go: `genmove` answers with the next of --moves (then "pass"), all else succeeds.
"""

from __future__ import annotations

import argparse
import sys
import time


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--moves", default="", help="vertices, separated by commas")
    parser.add_argument("--score", default="B+1.5", help="the answer to final_score")
    parser.add_argument("--on", default="genmove", help="the command at which it misbehaves")
    parser.add_argument("--after", type=int, default=0, help="how often it behaves before")
    parser.add_argument("--then", default="", help="crash, stall, flood, garbage or refuse; or leave after its answer")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds before a move")
    return parser.parse_args()


def main() -> None:
    options = parse()
    moves = [move for move in options.moves.split(",") if move]
    played, behaved = 0, 0
    for line in sys.stdin:
        name = line.split()[0]
        leaves = name == options.on and options.then == "leave"
        if name == options.on and options.then and not leaves:
            behaved += 1
            if behaved > options.after:
                misbehave(options.then)
                continue
        answer = ""
        if name == "genmove":
            time.sleep(options.wait)
            answer = moves[played] if played < len(moves) else "pass"
            played += 1
        elif name == "clear_board":
            played = 0
        elif name == "final_score":
            answer = options.score
        elif name == "echo":
            answer = line.split(" ", 1)[1].replace("\\n", "\n").rstrip()
        print(f"= {answer}\n", flush=True)
        if name == "quit" or leaves:
            return


def misbehave(how: str) -> None:
    if how == "crash":
        print("no more memory", file=sys.stderr, flush=True)
        sys.exit(3)
    elif how == "stall":
        time.sleep(60)
    elif how == "flood":
        while True:
            print("x" * 1000)
    elif how == "garbage":
        print("hello there\n", flush=True)
    elif how == "refuse":
        print("? illegal move\n", flush=True)


if __name__ == "__main__":
    main()
