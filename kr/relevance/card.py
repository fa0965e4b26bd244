"""The model card as a page of text: what the model was made of, how good it is, what it reads."""

from collections.abc import Mapping
from typing import Any


def card_text(card: Mapping[str, Any], sha256: str = "", latency: Mapping[str, Any] | None = None) -> str:
    """Markdown of a model card, with the hash of the model's files and the times measured, if any were."""
    measures = card["cross_validated"]
    lines = [
        "# Relevance model",
        "",
        f"{card['pairs']:,} pairs of {card['queries']:,} queries, {card['kind']}; preset `{card['preset']}`"
        + (", with the sentence encoder." if card["encoder"] else "."),
        "",
        "| label | pairs |",
        "|---|---|",
        *(f"| {label} | {count:,} |" for label, count in card["labels"].items()),
        "",
        "## Data",
        "",
        *([f"- the model's own files, SHA-256 `{sha256}`"] if sha256 else []),
        *(f"- `{item['file']}`, SHA-256 `{item['sha256']}`" for item in card["data"]),
        *(f"- unlabelled: `{item['path']}`, SHA-256 `{item['sha256']}`" for item in card["corpora"]),
        *_lexicon_lines(card.get("lexicons", {})),
        "",
        "## Cross-validated by query",
        "",
        "| measure | value | 95 % |",
        "|---|---|---|",
    ]
    for name, interval in measures["intervals"].items():
        lines.append(f"| {name} | {measures[name]:.4f} | {interval_text(interval)} |")
    lines += [
        "",
        "## Thresholds",
        "",
        "| use | from relevance | precision | 95 % | recall | 95 % | rule | wish met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for use, threshold in card["thresholds"].items():
        cells = [
            cell
            for name in ("precision", "recall")
            for cell in (share_text(threshold[name]), interval_text(threshold[f"{name}_interval"]))
        ]
        met = "yes" if threshold["reached"] else "no"
        lines.append(f"| {use} | {threshold['bar']:g} | {' | '.join(cells)} | {threshold['rule']} | {met} |")
    if "families" in card:
        lines += ["", "## Families, each added to those above", ""]
        names = [name for name in measures["intervals"] if name in card["families"][0]]
        lines += [f"| family | features | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
        for row in card["families"]:
            values = " | ".join(f"{row[name]:.4f}" for name in names)
            lines.append(f"| {row['added']} | {row['features']} | {values} |")
    if latency:
        lines += _latency_lines(latency)
    lines += [
        "",
        "## Features that the trees read, by gain",
        "",
        "| feature | family | gain | meaning |",
        "|---|---|---|---|",
    ]
    for feature in sorted(card["features"], key=lambda feature: (-feature["gain"], feature["name"])):
        lines.append(f"| {feature['name']} | {feature['family']} | {feature['gain']:.4f} | {feature['meaning']} |")
    return "\n".join(lines) + "\n"


def share_text(share: float | None) -> str:
    """A share with four decimals, a dash where it is of nothing."""
    return "–" if share is None else f"{share:.4f}"


def interval_text(interval: list[float] | None) -> str:
    """Both ends of an interval, or nothing."""
    return f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else ""


def _lexicon_lines(lexicons: Mapping[str, Any]) -> list[str]:
    lines = []
    synonyms = lexicons.get("synonyms")
    if synonyms and synonyms["groups"]:
        files = ", ".join(f"`{item['file']}`, SHA-256 `{item['sha256']}`" for item in synonyms["files"])
        lines.append(
            f"- synonyms: {synonyms['groups']:,} groups of {synonyms['words']:,} words, of which "
            f"{synonyms['left_out']:,} are several tokens and left out: {files}"
        )
    for kind in lexicons.get("terms", []):
        files = "".join(f", `{item['file']}`, SHA-256 `{item['sha256']}`" for item in kind["files"])
        lines.append(f"- terms of kind {kind['kind']}: {kind['things']:,}{files}")
    return lines


def _latency_lines(latency: Mapping[str, Any]) -> list[str]:
    times = latency["milliseconds"]
    lines = [
        "",
        "## Latency",
        "",
        f"CPU time for {latency['pairs']:,} pairs of one query on one thread, medians, all taking turns.",
        "",
        "| part | ms |",
        "|---|---|",
        f"| features that kernels compute | {times['features']:.2f} |",
        f"| substitution score | {times['substitutions']:.2f} |",
        f"| trees | {times['trees']:.2f} |",
        f"| trees by LightGBM, {latency['trees_over_lightgbm']:.1f} times as long | {times['lightgbm']:.2f} |",
        f"| all, calibrated | {times['all']:.2f} |",
        "",
        "| kernel | families | ns a pair, run alone |",
        "|---|---|---|",
    ]
    for kernel, found in latency["nanoseconds_a_pair"].items():
        lines.append(f"| {kernel} | {', '.join(found['families'])} | {found['cost']:,} |")
    return lines
