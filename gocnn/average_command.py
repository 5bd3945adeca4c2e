"""The `gocnn average` command: the mean of several networks."""

from __future__ import annotations

import click


@click.command(
    epilog="""
\b
Examples:
  gocnn average runs/a/network.safetensors runs/b/network.safetensors -o mean.safetensors
  gocnn average old.safetensors new.safetensors --shares 0.25,0.75 -o between.safetensors
"""
)
@click.argument("networks", nargs=-1, required=True, type=click.Path(), metavar="NETWORK...")
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="The file to write.")
@click.option("--shares", metavar="S,S...", help="How much each counts, in their order (default: all the same).")
def average(networks: tuple[str, ...], out: str, shares: str | None) -> None:
    """Take the mean of the weights of networks that were trained on from the same one.

    The mean is mostly better than each of them, so that two machines, or two runs with different --seed, can share one
    training. A mean of a network and the same network trained further keeps more of what the first one knew.
    """
    from gocnn import checkpoint, policy

    try:
        given = [float(share) for share in shares.split(",")] if shares else [1.0] * len(networks)
    except ValueError:
        raise click.UsageError(f"--shares: numbers such as 0.25,0.75 are needed, not {shares!r}") from None
    if len(given) != len(networks) or not all(share >= 0 for share in given):
        raise click.UsageError(f"--shares: one number for each of the {len(networks)} networks, none below 0")
    total = sum(given)
    if not 0 < total < float("inf"):
        raise click.UsageError(f"--shares: their sum must be a number above 0, which {total} is not")
    fractions = [share / total for share in given]
    try:
        mean = policy.average([policy.load(path) for path in networks], fractions)
        parts = [
            {"network": checkpoint.signature(path), "share": share, "card": checkpoint.load(path).meta.get("card")}
            for path, share in zip(networks, fractions, strict=True)
        ]
        policy.save(out, mean.config, mean, {"mean of": parts})
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: the mean of {len(networks)} networks", err=True)
