"""The catalogue of products, and what is proposed for it (UC-04.01)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.assets.assets import Findings
from api.http.decimal_json import ExactRoute
from api.http.parameters import PageQuery, ReasonBody
from api.http.problems import answers
from api.http.responses import NOT_MODIFIED, IfMatch, IfNoneMatch, answer, here, page, unchanged, version_of
from api.http.schemas import RequestSchema
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
)
from models.products import Phase, ProductProposal, ProposalStatus
from services.market.products import products, proposal_records, proposal_review, proposals
from services.market.products.document import product_schema
from services.market.products.products import ProductFilters
from services.market.products.proposal_records import proposal_terms
from services.market.products.proposals import ProposalDraft

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


class ProductQuery(RequestSchema):
    """Filters of products: they add up, values of one are alternatives."""

    sub_market: list[str] = Field(default_factory=list, max_length=50, description="May be repeated: one of these.")
    procurer: list[str] = Field(default_factory=list, max_length=50, description="May be repeated: one of these.")
    phase: list[Phase] = Field(default_factory=list, max_length=10, description="May be repeated: one of these.")
    text: str = Field(default="", max_length=100, description="Part of code or name.")
    ended: bool = Field(default=False, description="Products that have ended, too.")


class ProposalQuery(PageQuery):
    """Filters of proposals."""

    status: list[ProposalStatus] = Field(default_factory=list, max_length=10, description="One of these.")
    code: str = Field(default="", max_length=40, description="For this product.")


@router.get("/products", summary="List products", response_model=Products)
def list_products(request: Request, caller: Caller, query: Annotated[ProductQuery, Query()]) -> Response:
    """The catalogue, whole: some dozens of products. What has ended is left out unless asked for."""
    filters = ProductFilters(query.sub_market, query.procurer, query.phase, query.text, query.ended)
    return answer({"items": [product_out(request, view) for view in products.list_products(caller, filters)]})


@router.get("/products/schema", summary="The schema of a product", responses=SCHEMA)
def get_product_schema(caller: Caller) -> Response:
    """For programs that read the catalogue or propose."""
    response = answer(products.schema_of_products(caller))
    response.headers["Content-Type"] = "application/schema+json"
    return response


@router.get(
    "/products/{Code}",
    summary="Read a product",
    response_model=ProductOut,
    responses={**NOT_MODIFIED, **answers(404)},
)
def get_product(request: Request, caller: Caller, code: ProductCode, if_none_match: IfNoneMatch = None) -> Response:
    """With the version in force today. A product that has ended is still here."""
    view = products.get_product(caller, code)
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
def list_product_versions(caller: Caller, code: ProductCode) -> Response:
    """All of them, one that is still to come included."""
    return answer({"items": ProductVersionOut.from_records(products.product_versions(caller, code))})


@router.get(
    "/products/{Code}/versions/{ProductVersion}",
    summary="A version of a product",
    response_model=ProductVersionOut,
    responses=answers(404),
)
def get_product_version(
    caller: Caller, code: ProductCode, number: Annotated[int, Path(alias="ProductVersion", ge=1, le=1_000_000)]
) -> Response:
    """Units keep the version that they qualified for."""
    return answer(ProductVersionOut.from_record(products.one_version(caller, code, number)))


@router.get("/product-proposals", summary="List proposals", response_model=Proposals)
def list_proposals(request: Request, caller: Caller, query: Annotated[ProposalQuery, Query()]) -> Response:
    """A system operator's own; the FMAR administrator's are all."""
    result = proposal_records.list_proposals(caller, query.status, query.code, query.after, query.limit)
    return answer(page(request, [proposal_terms(proposal) for proposal in result.items], result.next_cursor))


@router.post(
    "/product-proposals",
    status_code=201,
    summary="Propose a product",
    response_model=ProductProposalOut,
    responses=answers(404, 409, 413),
)
def propose_product(request: Request, caller: Caller, body: ProposalBody) -> Response:
    """A new product, a change of one that you buy, or its end from a day. The FMAR administrator decides."""
    proposal = proposals.propose_product(caller, _proposed(body))
    return _answer(proposal, 201, location=here(request, f"/v1/product-proposals/{proposal.id}"))


@router.post(
    "/product-proposals/validate", summary="Try a proposal", response_model=Findings, responses=answers(404, 409, 413)
)
def check_proposal(caller: Caller, body: ProposalBody) -> Response:
    """The findings that proposing would meet, without proposing."""
    findings = proposals.check_proposal(caller, _proposed(body))
    return answer({"findings": [finding.as_dict() for finding in findings]})


@router.get(
    "/product-proposals/{ProposalId}",
    summary="Read a proposal",
    response_model=ProductProposalOut,
    responses={**NOT_MODIFIED, **answers(404)},
)
def get_proposal(caller: Caller, proposal_id: ProposalId, if_none_match: IfNoneMatch = None) -> Response:
    """With everything that was said of it."""
    proposal = proposal_records.get_proposal(caller, proposal_id)
    return unchanged(if_none_match, proposal.version) or _answer(proposal)


@router.post(
    "/product-proposals/{ProposalId}/approve",
    summary="Approve a proposal",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def approve_proposal(caller: Caller, proposal_id: ProposalId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """In force from the proposed day, or today where that has passed. For the FMAR administrator."""
    return _answer(proposal_review.approve_proposal(caller, proposal_id, body.reason, version_of(if_match)))


@router.post(
    "/product-proposals/{ProposalId}/refuse",
    summary="Refuse a proposal",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def refuse_proposal(caller: Caller, proposal_id: ProposalId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """Final; it can be proposed anew. For the FMAR administrator."""
    return _answer(proposal_review.refuse_proposal(caller, proposal_id, body.reason, version_of(if_match)))


@router.post(
    "/product-proposals/{ProposalId}/ask",
    summary="Ask about a proposal",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def ask_about_proposal(
    caller: Caller, proposal_id: ProposalId, body: QuestionBody, if_match: IfMatch = None
) -> Response:
    """It then waits for the proposer's answer. For the FMAR administrator."""
    version = version_of(if_match)
    return _answer(proposal_review.ask_about_proposal(caller, proposal_id, body.question, version))


@router.post(
    "/product-proposals/{ProposalId}/answer",
    summary="Answer a question",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def answer_proposal(caller: Caller, proposal_id: ProposalId, body: AnswerBody, if_match: IfMatch = None) -> Response:
    """For the proposer. From then on a change is one of the product's newest version."""
    version = version_of(if_match)
    return _answer(
        proposals.answer_proposal(
            caller, proposal_id, body.answer, version, document=body.product, effective_from=body.effective_from
        )
    )


@router.post(
    "/product-proposals/{ProposalId}/withdraw",
    summary="Withdraw a proposal",
    response_model=ProductProposalOut,
    responses=CHANGED,
)
def withdraw_proposal(caller: Caller, proposal_id: ProposalId, body: ReasonBody, if_match: IfMatch = None) -> Response:
    """For the proposer. Final."""
    return _answer(proposals.withdraw_proposal(caller, proposal_id, body.reason, version_of(if_match)))


def _proposed(body: ProposalBody) -> ProposalDraft:
    return ProposalDraft(body.kind, body.code, body.effective_from, body.reason, body.product)


def _answer(proposal: ProductProposal, status: int = 200, **headers: Any) -> Response:
    return answer(proposal_terms(proposal), status, version=proposal.version, **headers)
