"""The comment on a pull request: one, whatever the number of runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.report.markdown import render_markdown
from skewcheck.report.sticky import PullRequest, find_pull_request, post_comment
from skewcheck.verdict import Verdict
from tests.github_server import Comments, serve_comments
from tests.test_diff_verdict import WHOLE


@pytest.fixture
def comments() -> Iterator[Comments]:
    with serve_comments() as server:
        yield server


@pytest.fixture
def place(comments: Comments) -> PullRequest:
    return PullRequest(comments.address, "me/shop", 7, comments.token)


def test_the_comment_is_written_once_and_then_over(comments: Comments, place: PullRequest, fail: Verdict) -> None:
    comments.bodies += [f"comment {number}" for number in range(150)]
    assert post_comment(WHOLE, place) == "https://github.example/150"
    later = replace(WHOLE, verdict="pass", findings=())
    assert post_comment(later, place) == "https://github.example/150"
    assert len(comments.bodies) == 151
    assert comments.bodies[-1] == render_markdown(later)
    post_comment(fail, place)
    assert len(comments.bodies) == 152


def test_only_the_first_line_marks_a_comment(comments: Comments, place: PullRequest) -> None:
    comments.bodies.append(f"> {render_markdown(WHOLE)}")
    post_comment(WHOLE, place)
    assert len(comments.bodies) == 2


def test_a_token_that_may_not_write_is_named_as_the_reason(comments: Comments, place: PullRequest) -> None:
    with pytest.raises(SkewcheckError, match=r"answered 403 to GET on pull request 7(.|\n)*pull-requests: write"):
        post_comment(WHOLE, replace(place, token="other"))
    assert "other" not in repr(replace(place, token="other"))


def test_a_server_that_is_not_there_is_said(place: PullRequest) -> None:
    with pytest.raises(SkewcheckError, match="cannot be reached"):
        post_comment(WHOLE, replace(place, api="http://127.0.0.1:9"))


def test_the_pull_request_is_that_of_the_workflow(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    known = {"GITHUB_REPOSITORY": "me/shop", "GITHUB_EVENT_PATH": str(event), "GITHUB_TOKEN": "t"}
    assert find_pull_request(known) == PullRequest("https://api.github.com", "me/shop", 7, "t")
    assert find_pull_request({**known, "GITHUB_API_URL": "https://ghe.example/api/"}).api == "https://ghe.example/api"
    with pytest.raises(UsageError, match="GITHUB_TOKEN is not set"):
        find_pull_request({**known, "GITHUB_TOKEN": ""})
    with pytest.raises(UsageError, match="expected an address"):
        find_pull_request({**known, "GITHUB_API_URL": "file:///etc"})
    event.write_text(json.dumps({"push": {}}))
    with pytest.raises(UsageError, match="does not run for a pull request"):
        find_pull_request(known)
