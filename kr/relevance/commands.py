"""Commands of the relevance model; heavy libraries are imported inside them."""

from pathlib import Path
from typing import Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say, step

EXISTING = click.Path(path_type=Path)


@click.command("relevance")
@click.option("--pairs", "pairs_files", type=EXISTING, multiple=True, required=True, help="Labelled pairs; repeatable.")
@click.option("--preset", type=click.Choice(["fast", "best"]), default="fast", show_default=True)
@click.option("--corpus", "corpora", type=EXISTING, multiple=True, help="Text file, or snapshot store; repeatable.")
@click.option(
    "--encoder",
    type=click.Choice(["auto", "none", "e5"]),
    default="auto",
    show_default=True,
    help="Read a sentence encoder; auto: with preset best if it is installed. Such a model is not served.",
)
@click.option(
    "--synonyms", "synonym_files", type=EXISTING, multiple=True, help="Groups of words that mean the same; repeatable."
)
@click.option(
    "--terms", "term_files", multiple=True, metavar="KIND=FILE", help="Names of things, as brand=FILE; repeatable."
)
@click.option("--families", is_flag=True, help="Add the table of features family by family to the card.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the model, new or empty.")
@click.option("--json", "as_json", is_flag=True, help="Print the model card as JSON.")
def train_relevance(
    pairs_files: tuple[Path, ...],
    preset: str,
    corpora: tuple[Path, ...],
    encoder: str,
    synonym_files: tuple[Path, ...],
    term_files: tuple[str, ...],
    families: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Train the relevance model on labelled pairs, cross-validated by query."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is not an empty folder.", "Name another folder with --out.")
    from indexes.arrays import write_json
    from kr.relevance.card import card_text
    from kr.relevance.corpus import read_corpus
    from kr.relevance.latency import FILE as LATENCY_FILE
    from kr.relevance.latency import measure_latency, model_sha256
    from kr.relevance.lexicons import Lexicons, shipped_terms
    from kr.relevance.pairs import read_pairs, refuse_one_label, sha256_of
    from kr.relevance.presets import PRESETS
    from kr.relevance.synonyms import read_synonyms, single_word
    from kr.relevance.training import train

    named = [_named_file(item) for item in term_files]
    pairs = read_pairs(pairs_files)
    refuse_one_label(pairs)
    groups, terms = read_synonyms(synonym_files), shipped_terms(named)
    lexicons = Lexicons.of(groups, terms)
    texts = [text for path in corpora for text in read_corpus(path)]
    from kr.relevance.encoder import is_installed

    with_encoder = encoder == "e5" or (encoder == "auto" and preset == "best" and is_installed())
    read = "the sentence encoder and text" if with_encoder else "text"
    with step(f"Training on {len(pairs)} pairs, {pairs.kind}, from {read}"):
        model, _ = train(pairs, texts, PRESETS[preset], with_encoder, lexicons)
    model.card["data"] = [{"file": file.name, "sha256": sha256_of(file)} for file in pairs_files]
    model.card["corpora"] = [
        {"path": path.name, "sha256": sha256_of(path) if path.is_file() else None} for path in corpora
    ]
    held = {word for group in groups for word in group.words}
    model.card["lexicons"] = {
        "synonyms": {
            "groups": len(groups),
            "words": len(held),
            "left_out": sum(single_word(word) is None for word in held),
            "files": [{"file": file.name, "sha256": sha256_of(file)} for file in synonym_files],
        },
        "terms": [
            {
                "kind": kind.kind,
                "things": len(kind.things),
                "files": [
                    {"file": file.name, "sha256": sha256_of(file)} for other, file in named if other == kind.kind
                ],
            }
            for kind in terms
        ],
    }
    if families:
        from kr.relevance.families import family_table

        with step("The table of families"):
            model.card["families"] = family_table(pairs, model.knowledge, PRESETS[preset])
    model.write(out)
    sha256, latency = model_sha256(out), None
    if not with_encoder:  # a model that reads the encoder is not served
        with step("Measuring the model"):
            latency = measure_latency(model, pairs)
        write_json(out, LATENCY_FILE, latency)
    (out / "card.md").write_text(card_text(model.card, sha256, latency), encoding="utf-8")
    if as_json:
        print_json({**model.card, "sha256": sha256, "latency": latency})
    else:
        click.echo(_measures(model.card["cross_validated"]))
        click.echo(_thresholds(model.card["thresholds"]))
    say(f"The model is in {out}.")


def _named_file(item: str) -> tuple[str, Path]:
    kind, equals, file = item.partition("=")
    if not equals or not file:
        raise UsageError(f"--terms {item} names no kind and file.", "Write it as brand=FILE.")
    return kind, Path(file)


@click.command("relevance")
@click.option("--model", "folder", type=EXISTING, required=True, help="Folder made by train relevance.")
@click.option("--pairs", "pairs_files", type=EXISTING, multiple=True, required=True, help="Labelled pairs; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def evaluate_relevance(folder: Path, pairs_files: tuple[Path, ...], as_json: bool) -> None:
    """Measure a relevance model on labelled pairs that it was not trained on."""
    import time

    from kr.relevance.evaluation import is_positive, measure, slices
    from kr.relevance.model import RelevanceModel
    from kr.relevance.pairs import CLASSES, read_pairs
    from kr.relevance.thresholds import admission_at

    model = RelevanceModel.read(folder)
    pairs = read_pairs(pairs_files)
    model.refuse_other_labels(pairs)
    model.predict(pairs.queries[:1], pairs.keywords[:1])  # compiles the kernels
    started = time.perf_counter()
    predictions = model.predict(pairs.queries, pairs.keywords)
    seconds = time.perf_counter() - started
    measures = measure(pairs, predictions, model.labels)
    intervals = measures.pop("intervals")
    positive = is_positive(pairs, model.labels, model.kind == CLASSES)
    admitted = {
        use: admission_at(bar, predictions.relevance, positive, pairs.groups()) for use, bar in model.thresholds.items()
    }
    result = {
        **measures,
        "pairs_per_second": len(pairs) / seconds,
        "thresholds": {use: threshold.as_json() for use, threshold in admitted.items()},
        "intervals": intervals,
        "slices": slices(pairs, predictions, model.labels),
    }
    if as_json:
        print_json(result)
    else:
        click.echo(_measures({**measures, "intervals": intervals}))
        click.echo(_thresholds(result["thresholds"]))
        click.echo(f"pairs_per_second  {result['pairs_per_second']:,.0f}")


@click.command("relevance")
@click.option("--repeats", type=click.IntRange(2), default=200, show_default=True, help="Calls of each system.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def bench_relevance(repeats: int, as_json: bool) -> None:
    """Pair features beside rapidfuzz, and the tree kernel beside LightGBM."""
    from indexes.bench_table import table
    from kr.relevance.bench import run_relevance_bench

    rows = run_relevance_bench(repeats)
    if as_json:
        print_json({"rows": rows})
    else:
        click.echo(table(rows))


def _measures(measures: dict[str, Any]) -> str:
    """The measures with their intervals, one a line."""
    lines = [f"n  {measures['n']:,}"]
    for name, interval in measures["intervals"].items():
        around = f"  [{interval[0]:.4f}, {interval[1]:.4f}]" if interval else ""
        lines.append(f"{name}  {measures[name]:.4f}{around}")
    return "\n".join(lines)


def _thresholds(thresholds: dict[str, dict[str, Any]]) -> str:
    """What each use admits, one a line."""
    from kr.relevance.card import share_text

    return "\n".join(
        f"{use}  from {threshold['bar']:g}: precision {share_text(threshold['precision'])}, "
        f"recall {share_text(threshold['recall'])}"
        for use, threshold in thresholds.items()
    )


TRAIN_COMMANDS: list[click.Command] = [train_relevance]
EVALUATE_COMMANDS: list[click.Command] = [evaluate_relevance]
BENCH_COMMANDS: list[click.Command] = [bench_relevance]
