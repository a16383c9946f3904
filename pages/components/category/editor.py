"""Editor of a category: entries kept in the session and saved as the register's draft after every change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from models.assets import CategorySchema
from pages.components.common.form_state import FormState
from services.assets.categories.changes import changes_between
from services.assets.categories.drafts import category_draft, save_category
from services.assets.categories.form import AttributeForm, CategoryForm, UsualValue, blank_attribute, form_of
from services.assets.categories.merge import merge_forms
from services.assets.rules.reference import code_lists
from services.core.clock import now
from services.core.errors import Conflict, Finding, RegisterError
from services.core.identity.actor import Actor

HEAD = ("title", "description", "kind", "colour", "mandatory", "hidden")
ATTRIBUTE = tuple(name for name in AttributeForm.model_fields if name not in ("id", "rest"))
USUAL = tuple(UsualValue.model_fields)


@dataclass
class CategoryEditor:
    """One draft in this browser session: the register's version of it, and over it what stands in the widgets."""

    actor: Actor
    category: str
    draft: CategorySchema

    @property
    def state(self) -> FormState:
        """Form state that keeps the entries of this draft; another draft of the category has another."""
        return FormState(f"category-{self.draft.id}")

    @property
    def base(self) -> CategoryForm:
        """The form as it was last read or saved."""
        return self.state.note("base") or form_of(self.draft.document)

    @property
    def version(self) -> int:
        """The version of the record that `base` is."""
        return self.state.note("version", self.draft.version)

    def form(self) -> CategoryForm:
        """Everything as it stands now."""
        base, state = self.base, self.state
        head = {name: _read_entry(state, name, getattr(base, name)) for name in HEAD}
        usual = [
            UsualValue(**{part: _read_entry(state, f"usual/{place}/{part}", getattr(value, part)) for part in USUAL})
            for place, value in enumerate(base.usual)
        ]
        one_of = [_read_entry(state, f"one-of/{place}", group) for place, group in enumerate(base.one_of)]
        attributes = [
            attribute.model_copy(
                update={
                    part: _read_entry(state, f"{attribute.id}/{part}", getattr(attribute, part)) for part in ATTRIBUTE
                }
            )
            for attribute in base.attributes
        ]
        return base.model_copy(update={**head, "usual": usual, "one_of": one_of, "attributes": attributes})

    def widget(self, name: str, value: Any) -> dict[str, Any]:
        """Key and memory of a widget that shows `value` until somebody types."""
        key = self.state.key(name)
        if key not in st.session_state:
            st.session_state[key] = value
        return {"key": key, "persist_state": "session"}

    def load(self, draft: CategorySchema) -> None:
        """Show the draft as the register has it, in place of what was typed."""
        notes = {name: self.state.note(name) for name in ("checking", "open")}
        self.state.clear()
        self.draft = draft
        self._remember(form_of(draft.document), draft.version)
        for name, value in notes.items():
            self.state.remember(name, value)

    def _remember(self, form: CategoryForm, version: int) -> None:
        self.state.remember("base", form)
        self.state.remember("version", version)

    def keep(self) -> None:
        """Save what was typed; somebody else's changes are shown, and nothing of either is lost."""
        if self.state.note("base") is None:
            self._remember(form_of(self.draft.document), self.draft.version)
        mine = self.form()
        if self.draft.version != self.version and mine == self.base:
            changes = changes_between(mine, form_of(self.draft.document), code_lists())
            self.load(self.draft)
            self.state.remember("news", [change.sentence for change in changes])
            return
        if mine != self.base and self.state.note("conflict") is None:
            self.save(mine, self.version)

    def save(self, form: CategoryForm, version: int) -> bool:
        """Save a form over a version of the draft; False when it couldn't be, which the page then shows."""
        try:
            self.draft = save_category(self.actor, self.draft.id, form, version)
        except Conflict as late:
            return self._put_together(form, late)
        except RegisterError as refused:
            self.state.remember("refused", refused)
            return False
        self.state.take("conflict")
        self._remember(form, self.draft.version)
        self.state.remember("saved_at", now())
        return True

    def _put_together(self, mine: CategoryForm, late: Conflict) -> bool:
        """Save both people's changes where they touch different things, and tell; else ask what counts."""
        theirs = category_draft(self.actor, self.category)
        other = form_of(theirs.document)
        both = merge_forms(self.base, mine, other)
        if both is None:
            self.state.remember("conflict", late)
            return False
        changes = changes_between(self.base, other, code_lists())
        self.load(theirs)
        self.state.remember("news", [change.sentence for change in changes])
        return self.save(both, theirs.version)

    def take_theirs(self) -> None:
        """Give up what was typed since and go on from the other's."""
        self.load(category_draft(self.actor, self.category))

    def keep_mine(self) -> None:
        """Save what stands here over the other's changes, which stay in the ledger."""
        mine = self.form()
        self.save(mine, category_draft(self.actor, self.category).version)

    def change(self, edit: Callable[[CategoryForm], CategoryForm]) -> None:
        """Change the form's shape (a line added, moved, removed): what is typed in the others stays."""
        changed = edit(self.form())
        if self.save(changed, self.version):
            self._forget_lines()

    def _forget_lines(self) -> None:
        """Widgets that belong to a place in a list start anew: another line may stand in that place."""
        starts = (self.state.key("usual/"), self.state.key("one-of/"))
        for key in [key for key in st.session_state if isinstance(key, str) and key.startswith(starts)]:
            del st.session_state[key]

    def add_attribute(self) -> None:
        """A blank attribute at the end, open for editing."""
        blank = blank_attribute(self.base.attributes)
        self.change(lambda form: form.model_copy(update={"attributes": [*form.attributes, blank]}))
        self.open_attribute(blank.id)

    def open_attribute(self, identifier: str | None) -> None:
        """Show the fields of one attribute, or of none."""
        self.state.remember("open", identifier)

    def remove_attribute(self, identifier: str) -> None:
        """Take an attribute out of the draft."""
        self.change(
            lambda form: form.model_copy(
                update={"attributes": [attribute for attribute in form.attributes if attribute.id != identifier]}
            )
        )

    def move_attribute(self, identifier: str, by: int) -> None:
        """Put an attribute one place up or down."""

        def moved(form: CategoryForm) -> CategoryForm:
            order = list(form.attributes)
            place = next(at for at, attribute in enumerate(order) if attribute.id == identifier)
            order.insert(max(0, place + by), order.pop(place))
            return form.model_copy(update={"attributes": order})

        self.change(moved)


def _read_entry(state: FormState, name: str, otherwise: Any) -> Any:
    """Entry of a widget; `otherwise` where it isn't drawn. An emptied choice is none."""
    key = state.key(name)
    if key not in st.session_state:
        return otherwise
    value = st.session_state[key]
    return "" if value is None else value


Beside = Mapping[str | None, list[Finding]]
