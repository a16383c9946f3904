"""Hold the code to plain names: the share of vague locals, and of docstrings that begin with a riddle.

`python -m scripts.check_names` prints both shares and fails above `LIMITS`; with folders as arguments it lists every place
in them, with file and line. A limit is lowered as the code gets better, and never raised.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

LAYERS = ("services", "pages", "api")
LIMITS = {"vague names": 0.003, "docstrings that begin with a riddle": 0.005}
VAGUE = {
    "one",
    "found",
    "told",
    "said",
    "made",
    "given",
    "kept",
    "wanted",
    "known",
    "chosen",
    "shown",
    "counted",
    "narrowed",
    "standing",
    "whose",
}
RIDDLES = ("What", "Who", "Whose", "Whether", "Which", "Where", "How")


def assigned_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that is assigned, with its line: targets, loops, parameters, `as` and captures of `match`."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name


def docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The first line of every docstring, with the line of what it documents."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text.split("\n")[0]


def main(folders: list[str]) -> int:
    """Print the shares, and the places where folders are named; 1 when a share is above the limit."""
    names = vague = lines = riddles = 0
    for file in sorted(path for folder in folders or LAYERS for path in Path(folder).rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for line, name in assigned_names(tree):
            names += 1
            if name.strip("_") in VAGUE:
                vague += 1
                if folders:
                    print(f"{file}:{line}: {name}")
        for line, text in docstrings(tree):
            lines += 1
            if text.split(" ")[0] in RIDDLES:
                riddles += 1
                if folders:
                    print(f"{file}:{line}: {text}")
    shares = {"vague names": vague / max(names, 1), "docstrings that begin with a riddle": riddles / max(lines, 1)}
    for label, share in shares.items():
        print(f"{label}: {100 * share:.1f} % (at most {100 * LIMITS[label]:.1f} %)")
    return int(any(share > LIMITS[label] for label, share in shares.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
