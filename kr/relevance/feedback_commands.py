"""Commands over what advertisers said of recommended keywords; heavy libraries are imported inside them."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say

if TYPE_CHECKING:
    from kr.relevance.feedback import FeedbackLabels

LOGS = click.option(
    "--logs", type=click.Path(path_type=Path), required=True, help="Ingested logs with a table of feedback."
)


@click.group()
def feedback() -> None:
    """What advertisers said of recommended keywords: how far they agree, and training pairs."""


@feedback.command()
@LOGS
@click.option("--most", type=click.IntRange(0), default=20, show_default=True, help="Contested pairs to show.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON document.")
def report(logs: Path, most: int, as_json: bool) -> None:
    """How far the accounts agree on which keywords belong to which queries."""
    from kr.relevance.feedback import labels_of_feedback
    from kr.relevance.feedback_log import read_feedback

    found = _report(labels_of_feedback(read_feedback(logs)), most)
    if as_json:
        print_json(found)
    else:
        click.echo(_text(found))


@feedback.command()
@LOGS
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="New file, .jsonl or .gz.")
@click.option("--personal-out", type=click.Path(path_type=Path, dir_okay=False), help="New file for “not my business”.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON document.")
def pairs(logs: Path, out: Path, personal_out: Path | None, as_json: bool) -> None:
    """Training pairs for `train relevance --pairs`, by the majority of the accounts.

    “Not my business” never becomes a pair: it goes to --personal-out, an account and a keyword a line.
    """
    from kr.relevance.feedback import labels_of_feedback
    from kr.relevance.feedback_log import read_feedback
    from kr.relevance.json_lines import refuse_existing, write_json_lines

    refuse_existing("--out", out)
    if personal_out is not None:
        refuse_existing("--personal-out", personal_out)
        if personal_out.absolute() == out.absolute():
            raise UsageError("--personal-out is the file of --out.", "Name two files.")
    labels = labels_of_feedback(read_feedback(logs))
    if not len(labels.pairs):
        raise UsageError(
            f"The feedback of {logs} decides no pair: {labels.ties} ties, {len(labels.not_my_business)} times “not my "
            "business”.",
            "Collect more verdicts first.",
        )
    rows = zip(labels.pairs.queries, labels.pairs.keywords, labels.pairs.labels.tolist(), strict=True)
    write_json_lines(out, ({"query": query, "keyword": keyword, "label": int(label)} for query, keyword, label in rows))
    if personal_out is not None:
        write_json_lines(
            personal_out, ({"account_id": account, "keyword": keyword} for account, keyword in labels.personal)
        )
    elif labels.personal:
        say(f"{len(labels.personal)} keywords that are not an account's business are not written: use --personal-out.")
    positive = int(labels.pairs.labels.sum())
    result = {
        "pairs": len(labels.pairs),
        "positive": positive,
        "negative": len(labels.pairs) - positive,
        "ties": labels.ties,
        "personal": len(labels.personal),
    }
    if not 0 < positive < len(labels.pairs):
        say("All pairs have one label: train relevance needs others beside them.")
    if as_json:
        print_json(result)
    else:
        click.echo("\n".join(f"{name}  {count:,}" for name, count in result.items()))


def _report(labels: "FeedbackLabels", most: int) -> dict[str, Any]:
    from dataclasses import asdict

    sizes = Counter(each.positive + each.negative for each in labels.votes)
    observed, alpha = labels.agreement()
    personal = labels.not_my_business
    return {
        "rows": labels.rows,
        "accounts": labels.accounts,
        "verdicts": labels.verdicts,
        "replaced": labels.replaced,
        "without_text": labels.without_text,
        "judgements": labels.judgements,
        "pairs_judged": len(labels.votes),
        "pairs_by_accounts": {str(size): sizes[size] for size in sorted(sizes)},
        "positive": int(labels.pairs.labels.sum()),
        "negative": len(labels.pairs) - int(labels.pairs.labels.sum()),
        "ties": labels.ties,
        "not_my_business": {
            "judgements": len(personal),
            "accounts": len({account for account, _, _ in personal}),
            "keywords": len({keyword for _, _, keyword in personal}),
        },
        "observed_agreement": observed,
        "krippendorff_alpha": alpha,
        "contested": len(labels.most_contested),
        "most_contested": [asdict(each) for each in labels.most_contested[:most]],
    }


def _text(found: dict[str, Any]) -> str:
    verdicts = ", ".join(f"{name} {count:,}" for name, count in found["verdicts"].items())
    by_accounts = ", ".join(f"{pairs:,} by {accounts}" for accounts, pairs in found["pairs_by_accounts"].items())
    personal = found["not_my_business"]
    lines = [
        f"rows             {found['rows']:,} of {found['accounts']:,} accounts: {verdicts}",
        f"left aside       {found['replaced']:,} replaced by a later verdict, {found['without_text']:,} without text",
        f"not my business  {personal['judgements']:,} by {personal['accounts']:,} accounts on {personal['keywords']:,} "
        "keywords; never a label",
        f"pairs judged     {found['pairs_judged']:,} ({by_accounts or 'none'} accounts)",
        f"labels           {found['positive']:,} positive, {found['negative']:,} negative, {found['ties']:,} ties left "
        "out",
    ]
    if found["observed_agreement"] is None:
        lines.append("agreement        unknown: no pair was judged by two accounts")
    else:
        alpha = found["krippendorff_alpha"]
        beyond = "undefined, all judgements are one label" if alpha is None else f"{alpha:.3f}"
        lines.append(
            f"agreement        {found['observed_agreement']:.1%} observed; Krippendorff's alpha {beyond} "
            "(1 always, 0 by chance)"
        )
    lines.append(f"contested pairs  {found['contested']:,}")
    lines += [
        f"  +{each['positive']} −{each['negative']}  {each['query']} | {each['keyword']}"
        for each in found["most_contested"]
    ]
    return "\n".join(lines)


COMMANDS: list[click.Command] = [feedback]
