"""Markdown that holds text of users: the escape on which its safety rests."""


def escape_markdown(text: str) -> str:
    """Escape user text for Markdown: nothing in it is taken for markup."""
    for sign in "\\`*_{}[]()<>#+-.!|$:~^":
        text = text.replace(sign, f"\\{sign}")
    return text
