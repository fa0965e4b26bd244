"""What a question may be at most, beyond what the operator sets: the same for the page and the API."""

from kr.pages.address import MAX_ADDRESS_CHARS as MAX_ADDRESS_CHARS  # templates read it here
from kr.planning.intents import Intent
from kr.relevance.match import MatchType

MAX_FILTER_WORDS = 20
MAX_FILTER_CHARS = 200
MAX_NAME_CHARS = 255
MAX_PAGE_SIZE = 1_000
DEFAULT_PAGE_SIZE = 100
MAX_SUGGESTIONS = 100
DEFAULT_SUGGESTIONS = 10
MAX_RELATED = 100
DEFAULT_RELATED = 8
MAX_SCORED = 1_000
MAX_ID_CHARS = 200
ROWS_PER_PAGE = (25, 50, 100)
# Above this, JSON numbers lose whole digits in many languages.
MAX_NUMBER = 2**53 - 1

COMPETITIONS = ("LOW", "MEDIUM", "HIGH")
LANGUAGES = ("zh", "en", "other")
INTENTS = tuple(intent.value for intent in Intent)
MATCH_TYPES = tuple(match_type.value for match_type in MatchType)
SORT_COLUMNS = ("searches", "trend", "competition", "bid", "relevance", "keyword")
