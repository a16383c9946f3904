"""What describes the register: categories with their schemas, code lists, and who may do what (UC-05.07)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import NOT_MODIFIED, IfNoneMatch, answer, here, unchanged
from api.http.security import Caller
from models.assets import CategorySchema, SchemaStatus
from services.assets.rules.reference import (
    CATEGORY_LIST,
    categories,
    category_schema,
    code_list,
    code_lists,
    schema_versions,
)
from services.core.identity.permissions import Scope, permission_table, scopes_of

router = APIRouter(tags=["Reference"], route_class=ExactRoute)
SCHEMA = {
    200: {
        "description": "A JSON Schema (2020-12) of the attributes that the category adds",
        "content": {"application/schema+json": {"schema": {"type": "object"}}},
    }
}
CategoryCode = Annotated[str, Path(alias="AssetCategory", max_length=40, examples=["BESS"])]


class CategoryOut(BaseModel):
    """A category in use."""

    AssetCategory: str
    Label: str
    Description: str
    SchemaVersion: int
    PublishedAt: datetime | None
    Mandatory: list[str] = Field(description="Core attributes that the category needs.")
    Schema: str = Field(description="The path of its JSON Schema.")


class Categories(BaseModel):
    """The categories in use."""

    items: list[CategoryOut]


class VersionOut(BaseModel):
    """One version of a category that is or was in use."""

    AssetCategory: str
    SchemaVersion: int
    Label: str
    Status: SchemaStatus = Field(description="DEPRECATED: no asset registers under it any more.")
    PublishedAt: datetime | None
    Note: str = Field(description="What was new in it.")
    Deprecation: str = Field(description="Why it went out of use.")
    Schema: str = Field(description="The path of its JSON Schema.")


class Versions(BaseModel):
    """The versions of a category, the newest first."""

    items: list[VersionOut]


class CodeOut(BaseModel):
    """One code; retired ones are kept, since older records carry them."""

    Code: str
    Label: str
    AppliesTo: str
    Active: bool


class CodeListOut(BaseModel):
    """A code list in its order."""

    Name: str
    items: list[CodeOut]


class CodeListNames(BaseModel):
    """The code lists there are."""

    items: list[str]


class PermissionOut(BaseModel):
    """A permission: how far each role reaches, and how far you do."""

    Permission: str
    Meaning: str
    Roles: dict[str, Scope]
    Yours: list[Scope]


class Permissions(BaseModel):
    """Who may do what."""

    items: list[PermissionOut]


@router.get("/categories", summary="List categories", response_model=Categories)
def list_categories(request: Request, caller: Caller) -> Response:
    """The categories in use, with where their schemas are."""
    return answer({"items": [_category(request, one) for one in categories(caller)]})


def _category(request: Request, schema: CategorySchema) -> dict[str, Any]:
    document = schema.document
    label = code_lists().get(CATEGORY_LIST, {}).get(schema.category)
    return {
        "AssetCategory": schema.category,
        "Label": label.label if label else document.get("title", schema.category),
        "Description": document.get("description", ""),
        "SchemaVersion": schema.schema_version,
        "PublishedAt": schema.published_at,
        "Mandatory": list(document.get("x-mandatory", ())),
        "Schema": here(request, f"/v1/categories/{schema.category}/versions/{schema.schema_version}"),
    }


@router.get(
    "/categories/{AssetCategory}", summary="A category's schema", responses={**SCHEMA, **NOT_MODIFIED, **answers(404)}
)
def newest_schema(caller: Caller, category: CategoryCode, if_none_match: IfNoneMatch = None) -> Response:
    """The newest published version."""
    return _schema(category_schema(caller, category), if_none_match)


@router.get(
    "/categories/{AssetCategory}/versions",
    summary="List a category's versions",
    response_model=Versions,
    responses=answers(404),
)
def list_versions(request: Request, caller: Caller, category: CategoryCode) -> Response:
    """All that are or were in use. Those of a category that is out of use are still here."""
    return answer({"items": [_version(request, one) for one in schema_versions(caller, category)]})


def _version(request: Request, schema: CategorySchema) -> dict[str, Any]:
    document = schema.document
    return {
        "AssetCategory": schema.category,
        "SchemaVersion": schema.schema_version,
        "Label": document.get("title", schema.category),
        "Status": schema.status,
        "PublishedAt": schema.published_at,
        "Note": document.get("x-note", ""),
        "Deprecation": document.get("x-deprecation", ""),
        "Schema": here(request, f"/v1/categories/{schema.category}/versions/{schema.schema_version}"),
    }


@router.get(
    "/categories/{AssetCategory}/versions/{Version}",
    summary="A version of a category's schema",
    responses={**SCHEMA, **NOT_MODIFIED, **answers(404)},
)
def one_schema(
    caller: Caller,
    category: CategoryCode,
    version: Annotated[int, Path(alias="Version", ge=1, le=1_000_000)],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Registered assets keep the version that they were registered with."""
    return _schema(category_schema(caller, category, version), if_none_match)


def _schema(schema: CategorySchema, if_none_match: str | None) -> Response:
    # Of the version and of its record: deprecating a version changes its document too.
    tag = schema.schema_version * 10_000 + schema.version
    known = unchanged(if_none_match, tag)
    if known is not None:
        return known
    response = answer(schema.document, version=tag)
    response.headers["Content-Type"] = "application/schema+json"
    return response


@router.get("/code-lists", summary="List code lists", response_model=CodeListNames)
def list_code_lists(_caller: Caller) -> Response:
    """The names of the code lists."""
    return answer({"items": sorted(code_lists())})


@router.get("/code-lists/{Name}", summary="A code list", response_model=CodeListOut, responses=answers(404))
def one_code_list(
    _caller: Caller, name: Annotated[str, Path(alias="Name", max_length=40, examples=["ConnectionStatus"])]
) -> Response:
    """All codes of a list, retired ones included."""
    codes = [
        {"Code": one.code, "Label": one.label, "AppliesTo": one.applies_to, "Active": one.active}
        for one in code_list(name)
    ]
    return answer({"Name": name, "items": codes})


@router.get("/permissions", summary="Who may do what", response_model=Permissions)
def permissions(caller: Caller) -> Response:
    """The permission table, and how far your own roles reach."""
    items = [
        {
            "Permission": row.name,
            "Meaning": row.meaning,
            "Roles": {str(role): scope for role, scope in row.scopes.items()},
            "Yours": sorted(scopes_of(caller, row.name)),
        }
        for row in permission_table().values()
    ]
    return answer({"items": items})
