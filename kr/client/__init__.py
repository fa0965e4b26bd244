"""A client of KR's API: the standard library alone, so that it runs where the server's libraries are not installed."""

from kr.client.client import Client, SearchFilters
from kr.client.problems import KRProblem, ProblemError, UnreachableError
from kr.client.replies import KeywordIdea, KeywordIdeas, KeywordList, KeywordScore, Reason

__all__ = [
    "Client",
    "KRProblem",
    "KeywordIdea",
    "KeywordIdeas",
    "KeywordList",
    "KeywordScore",
    "ProblemError",
    "Reason",
    "SearchFilters",
    "UnreachableError",
]
