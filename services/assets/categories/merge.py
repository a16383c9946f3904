"""Two people's changes of one draft put together, where they don't touch the same thing (UC-05.07)."""

from collections.abc import Sequence
from typing import Any

from services.assets.categories.form import AttributeForm, CategoryForm


def merged(base: CategoryForm, mine: CategoryForm, theirs: CategoryForm) -> CategoryForm | None:
    """The form with the changes of both since `base`; None where both changed the same thing in different ways."""
    found: dict[str, Any] = {}
    for name in CategoryForm.model_fields:
        if name == "attributes":
            found[name] = _attributes(base.attributes, mine.attributes, theirs.attributes)
        else:
            found[name] = _either(getattr(base, name), getattr(mine, name), getattr(theirs, name))
        if found[name] is None:
            return None
    return CategoryForm(**found)


def _either(base: Any, mine: Any, theirs: Any) -> Any:
    """The one that was changed; None where both were, differently. No field of a form is None."""
    if mine in (base, theirs):
        return theirs
    return mine if theirs == base else None


def _attributes(
    base: Sequence[AttributeForm], mine: Sequence[AttributeForm], theirs: Sequence[AttributeForm]
) -> list[AttributeForm] | None:
    """Attributes one by one and field by field, in the order of whoever changed it."""
    order = _either(*([one.id for one in attributes] for attributes in (base, mine, theirs)))
    if order is None:
        return None
    known = [{one.id: one for one in attributes} for attributes in (base, mine, theirs)]
    gone = [identifier for identifier in known[0] if identifier not in order]
    if any(attributes.get(one, known[0][one]) != known[0][one] for one in gone for attributes in known[1:]):
        # Taken out by one, changed by the other.
        return None
    found = []
    for identifier in order:
        versions = [attributes.get(identifier) for attributes in known]
        standing = [one for one in versions if one is not None]
        if len(standing) < len(versions):
            # Added by one, or taken out by one and put back in nobody's order: whoever has it has the last word.
            found.append(standing[-1])
            continue
        fields = {name: _either(*(getattr(one, name) for one in standing)) for name in AttributeForm.model_fields}
        if None in fields.values():
            return None
        found.append(AttributeForm(**fields))
    return found
