"""The catalogue of products, and what is proposed for it (UC-04.01)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.assets.assets import Findings
from api.http.decimal_json import ExactRoute
from api.http.parameters import PageQuery, ReasonBody
from api.http.problems import answers
from api.http.responses import NOT_MODIFIED, IfMatch, IfNoneMatch, answer, here, page, unchanged, version_of
from api.http.security import Caller
from api.market.product_schemas import (
    AnswerBody,
    ProductOut,
    ProductProposalOut,
    Products,
    ProductVersionOut,
    ProductVersions,
    ProposalBody,
    Proposals,
    QuestionBody,
    product_out,
    version_out,
)
from models.products import Phase as ProductPhase
from models.products import ProductProposal, ProposalStatus
from services.market.products.document import product_schema
from services.market.products.products import (
    ProductFilters,
    get_product,
    list_products,
    one_version,
    product_versions,
    schema_of_products,
)
from services.market.products.proposal_records import get_proposal, list_proposals, proposal_terms
from services.market.products.proposal_review import approve_proposal, ask_about_proposal, refuse_proposal
from services.market.products.proposals import (
    ProposalDraft,
    answer_proposal,
    check_proposal,
    propose_product,
    withdraw_proposal,
)

router = APIRouter(tags=["Products"], route_class=ExactRoute)
ProductCode = Annotated[str, Path(alias="Code", max_length=40, examples=["DC"], description="The product's code.")]
ProposalId = Annotated[UUID, Path(alias="ProposalId", description="The proposal's identifier.")]
CHANGED = answers(404, 409, 412, 413, 428)
SCHEMA: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"A JSON Schema (2020-12): {product_schema()['description']}",
        "content": {"application/schema+json": {"schema": {"type": "object"}}},
    }
}


class ProductQuery(BaseModel):
    """Which products: filters add up, values of one are alternatives."""

    model_config = ConfigDict(extra="forbid")

    SubMarket: list[str] = Field(default_factory=list, max_length=50, description="May be repeated: one of these.")
    Procurer: list[str] = Field(default_factory=list, max_length=50, description="May be repeated: one of these.")
    Phase: list[ProductPhase] = Field(default_factory=list, max_length=10, description="May be repeated: one of these.")
    Text: str = Field(default="", max_length=100, description="Part of code or name.")
    Ended: bool = Field(default=False, description="Products that have ended, too.")


class ProposalQuery(PageQuery):
    """Which proposals."""

    Status: list[ProposalStatus] = Field(default_factory=list, max_length=10, description="One of these.")
    Code: str = Field(default="", max_length=40, description="For this product.")


@router.get("/products", summary="List products", response_model=Products)
def list_them(request: Request, caller: Caller, query: Annotated[ProductQuery, Query()]) -> Response:
    """The catalogue, whole: some dozens of products. What has ended is left out unless asked for."""
    filters = ProductFilters(query.SubMarket, query.Procurer, query.Phase, query.Text, query.Ended)
    return answer({"items": [product_out(request, view) for view in list_products(caller, filters)]})


@router.get("/products/schema", summary="The schema of a product", responses=SCHEMA)
def schema(caller: Caller) -> Response:
    """For programs that read the catalogue or propose."""
    response = answer(schema_of_products(caller))
    response.headers["Content-Type"] = "application/schema+json"
    return response


@router.get(
    "/products/{Code}",
    summary="Read a product",
    response_model=ProductOut,
    responses={**NOT_MODIFIED, **answers(404)},
)
def read(request: Request, caller: Caller, code: ProductCode, if_none_match: IfNoneMatch = None) -> Response:
    """With the version in force today. A product that has ended is still here."""
    view = get_product(caller, code)
    # Which version is in force and whether it is offered also depends on the day.
    tag = (
        view.product.version * 10_000 + view.version.product_version * 10 + view.offered * 2 + (view.coming is not None)
    )
    return unchanged(if_none_match, tag) or answer(product_out(request, view), version=tag)


@router.get(
    "/products/{Code}/versions",
    summary="List a product's versions",
    response_model=ProductVersions,
    responses=answers(404),
)
def versions(caller: Caller, code: ProductCode) -> Response:
    """All of them, one that is still to come included."""
    return answer({"items": [version_out(one) for one in product_versions(caller, code)]})


@router.get(
    "/products/{Code}/versions/{ProductVersion}",
    summary="A version of a product",
    response_model=ProductVersionOut,
    responses=answers(404),
)
def version(
    caller: Caller, code: ProductCode, number: Annotated[int, Path(alias="ProductVersion", ge=1, le=1_000_000)]
) -> Response:
    """Units keep the version that they qualified for."""
    return answer(version_out(one_version(caller, code, number)))


@router.get("/product-proposals", summary="List proposals", response_model=Proposals)
def proposals(request: Request, caller: Caller, query: Annotated[ProposalQuery, Query()]) -> Response:
    """A system operator's own; the FMAR administrator's are all."""
    found = list_proposals(caller, query.Status, query.Code, query.after, query.limit)
    return answer(page(request, [proposal_terms(one) for one in found.items], found.next_cursor))


@router.post(
    "/product-proposals",
    status_code=201,
    summary="Propose a product",
    response_model=ProductProposalOut,
    responses=answers(404, 409, 413),
)
def propose(request: Request, caller: Caller, body: ProposalBody) -> Response:
    """A new product, a change of one that you buy, or its end from a day. The FMAR administrator decides."""
    made = propose_product(caller, _proposed(body))
    return _one(made, 201, location=here(request, f"/v1/product-proposals/{made.id}"))


@router.post(
    "/product-proposals/validate", summary="Try a proposal", response_model=Findings, responses=answers(404, 409, 413)
)
def validate(caller: Caller, body: ProposalBody) -> Response:
    """What proposing would say, without proposing."""
    return answer({"findings": [finding.as_dict() for finding in check_proposal(caller, _proposed(body))]})


@router.get(
    "/product-proposals/{ProposalId}",
    summary="Read a proposal",
    response_model=ProductProposalOut,
    responses={**NOT_MODIFIED, **answers(404)},
)
def proposal(caller: Caller, proposal_id: ProposalId, if_none_match: IfNoneMatch = None) -> Response:
    """With everything that was said of it."""
    found = get_proposal(caller, proposal_id)
    return unchanged(if_none_match, found.version) or _one(found)


@router.post(
    "/product-proposals/{ProposalId}/approve",
    summary="Approve a proposal",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def approve(caller: Caller, proposal_id: ProposalId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """In force from the proposed day, or today where that has passed. For the FMAR administrator."""
    return _one(approve_proposal(caller, proposal_id, body.Reason, version_of(if_match)))


@router.post(
    "/product-proposals/{ProposalId}/refuse",
    summary="Refuse a proposal",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def refuse(caller: Caller, proposal_id: ProposalId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Final; it can be proposed anew. For the FMAR administrator."""
    return _one(refuse_proposal(caller, proposal_id, body.Reason, version_of(if_match)))


@router.post(
    "/product-proposals/{ProposalId}/ask",
    summary="Ask about a proposal",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def ask(caller: Caller, proposal_id: ProposalId, body: QuestionBody, if_match: IfMatch = None) -> Response:
    """It then waits for the proposer's answer. For the FMAR administrator."""
    return _one(ask_about_proposal(caller, proposal_id, body.Question, version_of(if_match)))


@router.post(
    "/product-proposals/{ProposalId}/answer",
    summary="Answer a question",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def answer_it(caller: Caller, proposal_id: ProposalId, body: AnswerBody, if_match: IfMatch = None) -> Response:
    """For the proposer. From then on a change is one of the product's newest version."""
    version = version_of(if_match)
    return _one(
        answer_proposal(
            caller, proposal_id, body.Answer, version, document=body.Product, effective_from=body.EffectiveFrom
        )
    )


@router.post(
    "/product-proposals/{ProposalId}/withdraw",
    summary="Withdraw a proposal",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def withdraw(caller: Caller, proposal_id: ProposalId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """For the proposer. Final."""
    return _one(withdraw_proposal(caller, proposal_id, body.Reason, version_of(if_match)))


def _proposed(body: ProposalBody) -> ProposalDraft:
    return ProposalDraft(body.Kind, body.Code, body.EffectiveFrom, body.Reason, body.Product)


def _one(proposal: ProductProposal, status: int = 200, **headers: Any) -> Response:
    return answer(proposal_terms(proposal), status, version=proposal.version, **headers)
