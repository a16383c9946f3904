"""The audit of what is installed says when it could not look, by its exit code too."""

import subprocess
from types import SimpleNamespace

import pytest

from scripts.audit import NOT_LOOKED, VULNERABLE, main


@pytest.mark.parametrize(
    ("code", "output", "expected", "word"),
    [
        (0, "No known vulnerabilities found", 0, "nothing known"),
        (1, "Found 2 known vulnerabilities in 1 package", VULNERABLE, "Found 2"),
        (1, "ServiceError: Max retries exceeded", NOT_LOOKED, "NOT LOOKED AT"),
        (1, "Traceback: something else", VULNERABLE, "Traceback"),
    ],
)
def test_each_outcome_has_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: int,
    output: str,
    expected: int,
    word: str,
) -> None:
    done = SimpleNamespace(returncode=code, stdout=output, stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_more: done)
    assert main([]) == expected
    assert word in capsys.readouterr().out
    assert main(["--offline-ok"]) == (0 if expected == NOT_LOOKED else expected)
    assert word in capsys.readouterr().out
