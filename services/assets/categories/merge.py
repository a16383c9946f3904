"""Two people's changes of one draft put together, where they don't touch the same thing (UC-05.07)."""

from collections.abc import Sequence
from typing import Any

from services.assets.categories.form import AttributeForm, CategoryForm


def merge_forms(base: CategoryForm, own: CategoryForm, other: CategoryForm) -> CategoryForm | None:
    """Merge the changes of both since `base`; None where both changed the same thing in different ways."""
    values: dict[str, Any] = {}
    for name in CategoryForm.model_fields:
        if name == "attributes":
            values[name] = _attributes(base.attributes, own.attributes, other.attributes)
        else:
            values[name] = _pick_changed(getattr(base, name), getattr(own, name), getattr(other, name))
        if values[name] is None:
            return None
    return CategoryForm(**values)


def _pick_changed(base: Any, own: Any, other: Any) -> Any:
    """The one that was changed; None where both were, differently. No field of a form is None."""
    if own in (base, other):
        return other
    return own if other == base else None


def _attributes(
    base: Sequence[AttributeForm], own: Sequence[AttributeForm], other: Sequence[AttributeForm]
) -> list[AttributeForm] | None:
    """Merge attributes field by field, in the order of whoever changed it."""
    order = _pick_changed(*([attribute.id for attribute in attributes] for attributes in (base, own, other)))
    if order is None:
        return None
    by_id = [{attribute.id: attribute for attribute in attributes} for attributes in (base, own, other)]
    before = by_id[0]
    removed = [identifier for identifier in before if identifier not in order]
    if any(attributes.get(name, before[name]) != before[name] for name in removed for attributes in by_id[1:]):
        # Taken out by one, changed by the other.
        return None
    merged_attributes = []
    for identifier in order:
        versions = [attributes[identifier] for attributes in by_id if identifier in attributes]
        if len(versions) < len(by_id):
            # Added by one, or taken out by one and put back in nobody's order: whoever has it has the last word.
            merged_attributes.append(versions[-1])
            continue
        fields = {
            name: _pick_changed(*(getattr(form, name) for form in versions)) for name in AttributeForm.model_fields
        }
        if None in fields.values():
            return None
        merged_attributes.append(AttributeForm(**fields))
    return merged_attributes
