"""The pair features: name, family and meaning, in the order of the kernels' columns.

`direction` is +1 where relevance can only rise with the feature, all else equal, and becomes a monotone constraint for
graded labels; 0 promises nothing. q is the query, k the keyword.
"""

from collections.abc import Sequence
from dataclasses import dataclass

EXCHANGE_AXES = 16
"""Axes of the token vectors, the strongest first, that the exchange features read."""


@dataclass(frozen=True)
class Feature:
    """One column."""

    name: str
    family: str
    meaning: str
    direction: int = 0


CHARACTER_FEATURES = (
    Feature("q_chars", "length", "characters of q (letters and digits, at most 64)"),
    Feature("k_chars", "length", "characters of k"),
    Feature("extra_chars", "length", "characters of k less those of q"),
    Feature("char_ratio", "length", "shorter over longer, in characters"),
    Feature("q_chars_found", "overlap", "characters of q that k holds"),
    Feature("q_char_share", "overlap", "share of q's characters that k holds"),
    Feature("k_char_share", "overlap", "share of k's characters that q holds"),
    Feature("q_chars_missed", "missed", "characters of q that k lacks"),
    Feature("k_chars_missed", "missed", "characters of k that q lacks"),
    Feature("bigrams_found", "overlap", "pairs of neighbouring characters of k that q holds"),
    Feature("q_bigram_share", "overlap", "share of q's bigrams that k holds"),
    Feature("k_bigram_share", "overlap", "share of k's bigrams that q holds"),
    Feature("q_trigram_share", "overlap", "share of q's trigrams that k holds"),
    Feature("k_trigram_share", "overlap", "share of k's trigrams that q holds"),
    Feature("q_char_idf_share", "weight", "share of the idf of q's characters that k holds", 1),
    Feature("k_char_idf_share", "weight", "share of the idf of k's characters that q holds"),
    Feature("q_char_idf_missed", "missed", "idf of q's characters that k lacks"),
    Feature("k_char_idf_missed", "missed", "idf of k's characters that q lacks"),
    Feature("q_char_heaviest_missed", "missed", "largest idf of a character of q that k lacks"),
    Feature("k_char_heaviest_missed", "missed", "largest idf of a character of k that q lacks"),
    Feature("edit_distance", "edit", "Levenshtein distance of the characters"),
    Feature("edit_similarity", "edit", "1 − edit distance / the longer's characters"),
    Feature("subsequence_similarity", "edit", "2 · longest common subsequence / all characters"),
    Feature("q_subsequence_share", "edit", "longest common subsequence / characters of q"),
    Feature("longest_common", "edit", "characters of the longest common substring"),
    Feature("longest_common_share", "edit", "longest common substring / the shorter's characters"),
    Feature("longest_ends_q", "order", "the longest common substring ends q"),
    Feature("common_prefix", "order", "characters that both begin with"),
    Feature("common_suffix", "order", "characters that both end with"),
    Feature("equal", "order", "both have the same characters"),
    Feature("contained", "order", "the shorter stands whole in the longer"),
    Feature("first_found", "order", "place in k of the first character that q holds, 0 to 1"),
    Feature("last_found", "order", "place in k of the last character that q holds, 0 to 1"),
    Feature("q_missed_runs", "missed", "runs of q's characters that k lacks"),
    Feature("k_missed_runs", "missed", "runs of k's characters that q lacks"),
    Feature("q_longest_missed", "missed", "longest run of q's characters that k lacks"),
    Feature("k_longest_missed", "missed", "longest run of k's characters that q lacks"),
    Feature("q_pinyin_share", "pinyin", "share of q's syllables (without tones) that k holds"),
    Feature("pinyin_similarity", "pinyin", "2 · longest common subsequence of syllables / all characters"),
    Feature("homophone_share", "pinyin", "share of q's characters found by sound only"),
)
TOKEN_FEATURES = (
    Feature("q_tokens", "length", "tokens of q, at most 64"),
    Feature("k_tokens", "length", "tokens of k, at most 64"),
    Feature("q_tokens_found", "overlap", "tokens of q that k holds"),
    Feature("q_token_share", "overlap", "share of q's tokens that k holds"),
    Feature("k_token_share", "overlap", "share of k's tokens that q holds"),
    Feature("q_idf_found", "weight", "idf of q's tokens that k holds"),
    Feature("q_idf_share", "weight", "share of the idf of q's tokens that k holds", 1),
    Feature("k_idf_share", "weight", "share of the idf of k's tokens that q holds"),
    Feature("q_idf_missed", "missed", "idf of q's tokens that k lacks"),
    Feature("k_idf_missed", "missed", "idf of k's tokens that q lacks"),
    Feature("q_heaviest_missed", "missed", "largest idf of a token of q that k lacks"),
    Feature("k_heaviest_missed", "missed", "largest idf of a token of k that q lacks"),
    Feature("tfidf_cosine", "retrieval", "cosine of the tf·idf vectors"),
    Feature("bm25", "retrieval", "BM25 of q in k, k1 1.2, b 0.75"),
    Feature("bm25_flat", "retrieval", "BM25 of q in k, k1 0.6, b 0.3"),
    Feature("bm25_share", "retrieval", "BM25 / idf of q"),
    Feature("lm_dirichlet", "retrieval", "log-likelihood of q in k, Dirichlet smoothing 10, a token"),
    Feature("lm_jelinek", "retrieval", "log-likelihood of q in k, Jelinek-Mercer 0.1, a token"),
    Feature("lm_jelinek_long", "retrieval", "log-likelihood of q in k, Jelinek-Mercer 0.7"),
    Feature("lm_discount", "retrieval", "log-likelihood of q in k, absolute discounting 0.7, a token"),
    Feature("q_numbers_missed", "missed", "numbers of q that k lacks"),
    Feature("k_numbers_missed", "missed", "numbers of k that q lacks"),
    Feature("q_latin_missed", "missed", "Latin words of q, often brands and models, that k lacks"),
    Feature("k_latin_missed", "missed", "Latin words of k that q lacks"),
    Feature("q_single_missed", "missed", "tokens of one character of q that k lacks"),
    Feature("heaviest_found", "head", "q's heaviest token stands in k"),
    Feature("first_token_found", "head", "q's first token stands in k"),
    Feature("last_token_found", "head", "q's last token, often the head, stands in k"),
    Feature("k_last_token_found", "head", "k's last token stands in q"),
    Feature("order_share", "order", "share of the found tokens that stand in q's order"),
    Feature("last_missed_place", "order", "place in q of its last token that k lacks, 0 to 1"),
    Feature("q_mean_idf", "weight", "mean idf of q's tokens"),
    Feature("k_mean_idf", "weight", "mean idf of k's tokens"),
    Feature("same_last_token", "head", "both end with the same token"),
)
ALIGNMENT_FEATURES = (
    Feature("q_aligned", "semantics", "mean similarity of q's tokens to the nearest of k, by idf", 1),
    Feature("q_aligned_plain", "semantics", "the same, each token counting alike"),
    Feature("q_worst_aligned", "semantics", "similarity of the token of q that fits k least"),
    Feature("q_missed_aligned", "semantics", "mean similarity of the missed tokens of q, by idf"),
    Feature("k_aligned", "semantics", "mean similarity of k's tokens to the nearest of q, by idf"),
    Feature("k_worst_aligned", "semantics", "similarity of the token of k that fits q least"),
    Feature("k_missed_aligned", "semantics", "mean similarity of the tokens of k that q lacks, by idf"),
    Feature("vector_cosine", "semantics", "cosine of the sums of token vectors, by idf"),
    Feature("vector_excess", "semantics", "length of q's sum less that of k's"),
)
SPELLING_FEATURES = (
    Feature("q_spelt", "spelling", "mean likeness in letters of q's tokens to the nearest of k, by idf", 1),
    Feature("q_worst_spelt", "spelling", "likeness in letters of the token of q that fits k least"),
    Feature("q_missed_spelt", "spelling", "mean likeness in letters of the missed tokens of q, by idf"),
    Feature("k_spelt", "spelling", "mean likeness in letters of k's tokens to the nearest of q, by idf"),
    Feature("k_missed_spelt", "spelling", "mean likeness in letters of the tokens of k that q lacks, by idf"),
    Feature("last_token_spelt", "spelling", "likeness in letters of q's last token to the nearest of k"),
)
_EXCHANGED = (
    ("missed", "sum of the vectors of q's missed tokens"),
    ("added", "sum of the vectors of k's tokens that q lacks"),
    ("exchanged", "missed times added"),
    ("topic", "mean of the vectors of q's tokens"),
)
EXCHANGE_FEATURES = tuple(
    Feature(f"{name}_{axis}", "exchange", f"{meaning}, axis {axis}")
    for name, meaning in _EXCHANGED
    for axis in range(EXCHANGE_AXES)
)
SYNONYM_FEATURES = (
    Feature("q_synonym_share", "synonyms", "share of the idf of q's missed tokens that a synonym in k covers", 1),
    Feature("q_synonyms", "synonyms", "missed tokens of q that a synonym in k covers"),
    Feature("q_synonym_ratio", "synonyms", "the same, over q's missed tokens"),
    Feature("q_related", "synonyms", "missed tokens of q for which k has a related word, but no synonym"),
    Feature(
        "q_class_depth", "synonyms", "nearest common class of q's missed tokens in k, 0 to 1 (the same), by idf", 1
    ),
    Feature("q_least_class_depth", "synonyms", "the same of the missed token that is farthest"),
    Feature("q_expanded_share", "synonyms", "share of the idf of q's tokens that k holds or has synonyms of", 1),
    Feature("k_synonym_share", "synonyms", "share of the idf of k's added tokens that a synonym in q covers"),
    Feature("k_synonyms", "synonyms", "added tokens of k that a synonym in q covers"),
    Feature("k_synonym_ratio", "synonyms", "the same, over k's added tokens"),
    Feature("k_related", "synonyms", "added tokens of k for which q has a related word, but no synonym"),
    Feature("k_class_depth", "synonyms", "nearest common class of k's added tokens in q, 0 to 1 (the same), by idf"),
    Feature("k_least_class_depth", "synonyms", "the same of the added token that is farthest"),
    Feature("k_expanded_share", "synonyms", "share of the idf of k's tokens that q holds or has synonyms of"),
)
KERNEL_FEATURES = (
    CHARACTER_FEATURES + TOKEN_FEATURES + ALIGNMENT_FEATURES + SPELLING_FEATURES + EXCHANGE_FEATURES + SYNONYM_FEATURES
)


def term_feature_list(kinds: Sequence[str]) -> tuple[Feature, ...]:
    """Four columns for each kind of listed things that a model knows, such as places; the kind is the family."""
    return tuple(
        Feature(f"{kind}_{name}", kind, meaning)
        for kind in kinds
        for name, meaning in (
            ("same", f"q and k name the same {kind}"),
            ("differs", f"q and k name a {kind} each, and none in common"),
            ("only_q", f"q names a {kind}, k none"),
            ("only_k", f"k names a {kind}, q none"),
        )
    )


def substitution_features(outputs: int) -> tuple[Feature, ...]:
    """What the linear model over substitutions says: a column a class, or one for grades."""
    return tuple(
        Feature(f"substitution_{number}", "substitution", f"linear score of output {number} from words exchanged")
        for number in range(outputs)
    )
