"""All GTP commands together: one engine on one session."""

from __future__ import annotations

from engine.analysis_commands import AnalysisCommands
from engine.game_commands import GameCommands
from engine.gogui_commands import GoguiCommands
from engine.gogui_views import GoguiViews
from engine.protocol import GtpEngine
from engine.rules_commands import RulesCommands
from engine.session import Session
from engine.time_commands import TimeCommands


def gtp_engine(session: Session, version: str) -> GtpEngine:
    """The engine that `gocnn gtp` runs; `version` is what it answers to that command."""
    return GtpEngine(
        GameCommands(session),
        RulesCommands(session),
        TimeCommands(session),
        AnalysisCommands(session),
        GoguiCommands(session),
        GoguiViews(session),
        name="gocnn",
        version=version,
        vertex=session.vertex,
        idle=session.ponder if session.player.ponders else None,
    )
