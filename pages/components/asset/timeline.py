"""Timeline of an asset, readable: who, when, in words, each field from what to what; filtered as one likes."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from models.assets import CHECK_SOURCE_LABELS
from pages.components.asset.checks import OUTCOMES
from pages.components.common.asset_labels import AssetLabels
from pages.components.conversation.messages import audience_badge, label_of, own_name
from pages.frame.markdown import escape_markdown
from services.assets.asset_page.timeline import CheckNews, Happening, Touches
from services.core.clock import show_moment
from services.core.identity.actor import Actor

WORDS: dict[str, tuple[str, str]] = {
    "register_asset": ("Registered", "add_circle"),
    "update_asset": ("Changed", "edit"),
    "record_answers": ("Sources answered", "fact_check"),
    "conclude_checks": ("Checks concluded", "fact_check"),
    "request_checks": ("Checks asked for again", "refresh"),
    "query_asset": ("Query raised", "help"),
    "answer_query": ("Query answered", "reply"),
    "answer_differences": ("Answered field by field", "reply"),
    "settle_query": ("Query decided", "gavel"),
    "settle_differences": ("Differences settled", "gavel"),
    "take_back_decision": ("Decision taken back", "undo"),
    "comment_on_asset": ("Comment", "chat"),
    "suspend_unanswered": ("Suspended: query unanswered", "pause_circle"),
    "confirm_consent": ("Consent confirmed", "verified_user"),
    "refuse_consent": ("Consent refused", "block"),
    "revoke_consent": ("Consent revoked", "block"),
    "deregister_asset": ("De-registered", "archive"),
}
"""Operations in the past tense; others are told by their own name."""
TOUCHED = {
    Touches.RECORD: "Changes of the record",
    Touches.STATUS: "Changes of status",
    Touches.CHECKS: "Checks and settlements",
    Touches.QUERY: "Questions, answers, decisions",
    Touches.COMMENTS: "Comments and files",
}
TOLD_IN_HEAD = ("Status", "StatusReason", "StatusSince")
MOST = 50


def draw_timeline(actor: Actor, happenings: Sequence[Happening], words: AssetLabels) -> None:
    """One entry an act, newest first, filtered by field, by who, and by what it touches."""
    matching = _filter_happenings(happenings, words)
    if not matching:
        st.info("Nothing that happened fits these filters. Clear one to see more.", icon=":material/filter_alt_off:")
        return
    for happening in matching[:MOST]:
        _draw(actor, happening, words)
    if len(matching) > MOST:
        st.caption(f"The newest {MOST} of {len(matching)} entries. Choose filters to see older ones.")


def _filter_happenings(happenings: Sequence[Happening], words: AssetLabels) -> list[Happening]:
    fields = sorted({term for happening in happenings[:-1] for term in happening.changes}, key=words.label)
    people = sorted({_who(happening) for happening in happenings})
    kinds = [kind for kind in Touches if any(kind in happening.touches for happening in happenings)]
    grid = st.grid(3, min_column_width=220)
    terms = grid.multiselect("Field", fields, format_func=words.label, key="history-field", placeholder="All")
    who = grid.multiselect("Who", people, key="history-who", placeholder="Everybody")
    what = grid.multiselect("What", kinds, format_func=TOUCHED.__getitem__, key="history-what", placeholder="All")
    return [
        happening
        for happening in happenings
        if (not terms or set(terms) & set(happening.changes))
        and (not who or _who(happening) in who)
        and (not what or set(what) & happening.touches)
    ]


def _who(happening: Happening) -> str:
    return f"{happening.actor}, {happening.organisation}" if happening.organisation else happening.actor


def _draw(actor: Actor, happening: Happening, words: AssetLabels) -> None:
    label, icon = WORDS.get(happening.operation, (happening.operation.replace("_", " ").capitalize(), "history"))
    with st.container(border=True):
        heading = f":material/{icon}: **{label}** by {escape_markdown(_who(happening))}"
        st.markdown(f"{heading}  \n{show_moment(happening.at)}{_status(happening, words)}")
        changes = {
            term: pair for term, pair in happening.changes.items() if term not in TOLD_IN_HEAD and _is_news(pair)
        }
        if happening.version == 1:
            with st.expander(f"The {len(changes)} values it began with"):
                st.markdown("\n".join(_describe_value(term, pair[1], words) for term, pair in changes.items()))
        elif changes:
            st.markdown("\n".join(_describe_step(term, *pair, words) for term, pair in changes.items()))
        if happening.checks:
            st.markdown("\n".join(_check(news, _reason(happening)) for news in happening.checks))
        _draw_messages(actor, happening)
        version = f"Version {happening.version} · " if happening.version is not None else ""
        st.caption(f"{version}{happening.use_case} · ledger entry {happening.hash[:12]}")


def _draw_messages(actor: Actor, happening: Happening) -> None:
    """Messages with who reads them; what stands as the reason of the status isn't said twice."""
    own = own_name(actor)
    for row in happening.messages:
        if row.message.text == _reason(happening) and not row.files:
            continue
        kind, icon = label_of(row)
        st.markdown(f":material/{icon}: {kind} {audience_badge(row.audience, own)}")
        if row.message.text != _reason(happening):
            st.text(row.message.text)
        if row.files:
            st.markdown(f":material/attach_file: {escape_markdown(', '.join(file.file_name for file in row.files))}")


def _reason(happening: Happening) -> str:
    """The reason of the status that an act led to."""
    return str(happening.changes.get("StatusReason", (None, None))[1] or "")


def _check(news: CheckNews, reason: str) -> str:
    """One source's news; a summary that stands in the reason already isn't said again."""
    label, colour, icon = OUTCOMES[news.outcome]
    name = news.source_name if news.source_name != CHECK_SOURCE_LABELS[news.source] else None
    who = CHECK_SOURCE_LABELS[news.source] + (f" ({escape_markdown(name)})" if name else "")
    head = f"- :{colour}-badge[:material/{icon}: {label}] {who}"
    summary = news.summary if news.summary and news.summary not in " ".join(reason.split()) else None
    lines = [head] if summary is None else [f"{head}: {escape_markdown(summary)}"]
    return "\n".join([*lines, *(f"    - {escape_markdown(mark)}" for mark in news.marks)])


def _is_news(pair: tuple[Any, Any]) -> bool:
    return any(value not in (None, "", [], {}, False) for value in pair)


def _status(happening: Happening, words: AssetLabels) -> str:
    """The step from status to status, and the reason that was given."""
    line = ""
    if "Status" in happening.changes:
        before, after = happening.changes["Status"]
        step = f"{words.value('Status', before)} → " if before else ""
        line = f"  \nStatus: {step}**{words.value('Status', after)}**"
    reason = _reason(happening)
    return f"{line}  \n{escape_markdown(reason)}".replace("\n\n", "\n") if reason else line


def _describe_value(term: str, value: Any, words: AssetLabels) -> str:
    return f"- **{escape_markdown(words.label(term))}**: {escape_markdown(words.value(term, value))}"


def _describe_step(term: str, before: Any, after: Any, words: AssetLabels) -> str:
    old, new = escape_markdown(words.value(term, before)), escape_markdown(words.value(term, after))
    return f"- **{escape_markdown(words.label(term))}**: {old} → **{new}**"
