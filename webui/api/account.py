"""The account that a key belongs to."""

from flask import Blueprint, Response

from webui.api.account_models import Account, AccountReply, OrganisationSummary, UserSummary
from webui.identity import signed_in

blueprint = Blueprint("account_api", __name__, url_prefix="/api/v1")


@blueprint.get("/account")
def account() -> Response:
    """Who the key acts for: programs check with it that their key works."""
    identity = signed_in()
    reply = AccountReply(
        data=Account(
            organisation=OrganisationSummary(id=identity.organisation_id, name=identity.organisation),
            user=UserSummary(id=identity.user_id, email=identity.email, name=identity.name, role=identity.role.value),
        )
    )
    return Response(reply.model_dump_json(), mimetype="application/json")
