"""Reference data: categories with their schemas, code lists, and permissions (UC-05.07)."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.http.decimal_json import ExactRoute
from api.http.problems import answers
from api.http.responses import NOT_MODIFIED, IfNoneMatch, answer, here, unchanged
from api.http.schemas import AnswerSchema
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


class CategoryOut(AnswerSchema):
    """A category in use."""

    category: str = Field(serialization_alias="AssetCategory")
    label: str
    description: str
    schema_version: int
    published_at: datetime | None
    mandatory: list[str] = Field(description="Core attributes that the category needs.")
    path: str = Field(serialization_alias="Schema", description="The path of its JSON Schema.")


class Categories(BaseModel):
    """The categories in use."""

    items: list[CategoryOut]


class VersionOut(AnswerSchema):
    """One version of a category that is or was in use."""

    category: str = Field(serialization_alias="AssetCategory")
    schema_version: int
    label: str
    status: SchemaStatus = Field(description="DEPRECATED: no asset registers under it any more.")
    published_at: datetime | None
    note: str = Field(description="What was new in it.")
    deprecation: str = Field(description="Why it went out of use.")
    path: str = Field(serialization_alias="Schema", description="The path of its JSON Schema.")


class Versions(BaseModel):
    """The versions of a category, the newest first."""

    items: list[VersionOut]


class CodeOut(AnswerSchema):
    """One code; retired ones are kept, since older records carry them."""

    code: str
    label: str
    applies_to: str
    active: bool


class CodeListOut(AnswerSchema):
    """A code list in its order."""

    name: str
    items: list[CodeOut]


class CodeListNames(BaseModel):
    """The code lists there are."""

    items: list[str]


class PermissionOut(AnswerSchema):
    """A permission: how far each role reaches, and how far you do."""

    name: str = Field(serialization_alias="Permission")
    meaning: str
    roles: dict[str, Scope]
    yours: list[Scope]


class Permissions(BaseModel):
    """The permission table."""

    items: list[PermissionOut]


@router.get("/categories", summary="List categories", response_model=Categories)
def list_categories(request: Request, caller: Caller) -> Response:
    """The categories in use, with where their schemas are."""
    return answer({"items": [_category(request, schema) for schema in categories(caller)]})


def _category(request: Request, schema: CategorySchema) -> CategoryOut:
    document = schema.document
    code = code_lists().get(CATEGORY_LIST, {}).get(schema.category)
    return CategoryOut.from_record(
        schema,
        label=code.label if code else document.get("title", schema.category),
        description=document.get("description", ""),
        mandatory=document.get("x-mandatory", ()),
        path=_path(request, schema),
    )


def _path(request: Request, schema: CategorySchema) -> str:
    return here(request, f"/v1/categories/{schema.category}/versions/{schema.schema_version}")


@router.get(
    "/categories/{AssetCategory}", summary="A category's schema", responses={**SCHEMA, **NOT_MODIFIED, **answers(404)}
)
def get_category_schema(caller: Caller, category: CategoryCode, if_none_match: IfNoneMatch = None) -> Response:
    """The newest published version."""
    return _schema(category_schema(caller, category), if_none_match)


@router.get(
    "/categories/{AssetCategory}/versions",
    summary="List a category's versions",
    response_model=Versions,
    responses=answers(404),
)
def list_category_versions(request: Request, caller: Caller, category: CategoryCode) -> Response:
    """All that are or were in use. Those of a category that is out of use are still here."""
    return answer({"items": [_version(request, schema) for schema in schema_versions(caller, category)]})


def _version(request: Request, schema: CategorySchema) -> VersionOut:
    document = schema.document
    return VersionOut.from_record(
        schema,
        label=document.get("title", schema.category),
        note=document.get("x-note", ""),
        deprecation=document.get("x-deprecation", ""),
        path=_path(request, schema),
    )


@router.get(
    "/categories/{AssetCategory}/versions/{Version}",
    summary="A version of a category's schema",
    responses={**SCHEMA, **NOT_MODIFIED, **answers(404)},
)
def get_category_version(
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
    not_modified = unchanged(if_none_match, tag)
    if not_modified is not None:
        return not_modified
    response = answer(schema.document, version=tag)
    response.headers["Content-Type"] = "application/schema+json"
    return response


@router.get("/code-lists", summary="List code lists", response_model=CodeListNames)
def list_code_lists(_caller: Caller) -> Response:
    """The names of the code lists."""
    return answer({"items": sorted(code_lists())})


@router.get("/code-lists/{Name}", summary="A code list", response_model=CodeListOut, responses=answers(404))
def get_code_list(
    _caller: Caller, name: Annotated[str, Path(alias="Name", max_length=40, examples=["ConnectionStatus"])]
) -> Response:
    """All codes of a list, retired ones included."""
    return answer(CodeListOut(name=name, items=CodeOut.from_records(code_list(name))))


@router.get("/permissions", summary="Who may do what", response_model=Permissions)
def list_permissions(caller: Caller) -> Response:
    """The permission table, and how far your own roles reach."""
    items = [
        PermissionOut.from_record(row, roles=row.scopes, yours=sorted(scopes_of(caller, row.name)))
        for row in permission_table().values()
    ]
    return answer({"items": items})
