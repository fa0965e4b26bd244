"""`GET /api/v1/recommendations`: keywords for the key's organisation, without a query."""

from flask import Blueprint, Response, g

from indexes.errors import NotFoundError
from kr.envelope import recommendations_envelope
from kr.pages.problems import PageError
from webui.api.exchange import read_parameters, send
from webui.api.keyword_ideas import page_problem
from webui.api.problems import NOT_FOUND, ApiProblem
from webui.api.recommendations_models import RecommendationsQuestion
from webui.for_you import Question, recommend
from webui.identity import signed_in

blueprint = Blueprint("recommendations", __name__, url_prefix="/api/v1")


@blueprint.get("/recommendations")
def recommendations() -> Response:
    """Answer for the key's organisation; the body is the same until it buys, saves or judges something."""
    question = read_parameters(RecommendationsQuestion)
    try:
        asked, reply, took_ms = recommend(
            signed_in(),
            Question(question.limit, question.industry or None, question.site or None, question.explain),
        )
    except PageError as error:
        raise page_problem(error, "#/site") from error
    except NotFoundError as error:
        raise ApiProblem(NOT_FOUND, error) from error
    document = recommendations_envelope(reply, asked, language=question.language, request_id=g.request_id)
    return send(document, took_ms)
