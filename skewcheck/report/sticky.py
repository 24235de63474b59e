"""One comment on a pull request, which is found again by its marker and written anew (room: report)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.report.markdown import find_marker, render_markdown

if TYPE_CHECKING:
    from skewcheck.diff_verdict import DiffVerdict
    from skewcheck.verdict import Verdict

_PAGE = 100
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Where to comment.

    Attributes:
        api: The address of GitHub's API.
        repository: "owner/name".
        number: The pull request.
        token: What lets one write there.
    """

    api: str
    repository: str
    number: int
    token: str = field(repr=False)


def find_pull_request(environment: Mapping[str, str]) -> PullRequest:
    """The pull request that a workflow runs for, from the variables that GitHub sets, and GITHUB_TOKEN.

    Raises:
        UsageError: A variable is missing, or the workflow does not run for a pull request.
    """
    missing = [n for n in ("GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_TOKEN") if not environment.get(n)]
    if missing:
        raise UsageError(
            f"there is no pull request to comment on: {', '.join(missing)} is not set",
            remedy="Comment from a GitHub workflow, with `env: GITHUB_TOKEN: ${{ github.token }}`.",
        )
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        number = int(event["pull_request"]["number"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            "this workflow does not run for a pull request", remedy="Comment on the event pull_request alone."
        ) from error
    api = environment.get("GITHUB_API_URL") or "https://api.github.com"
    if not api.startswith(("http://", "https://")):
        raise UsageError(f"GITHUB_API_URL is {api}: expected an address", remedy="Leave it as GitHub sets it.")
    return PullRequest(api.rstrip("/"), environment["GITHUB_REPOSITORY"], number, environment["GITHUB_TOKEN"])


def post_comment(verdict: Verdict | DiffVerdict, place: PullRequest) -> str:
    """Write the verdict's comment: over the one that has its marker, or as a new one.

    Returns:
        The address of the comment.

    Raises:
        SkewcheckError: GitHub did not let it be read or written.
    """
    body = {"body": render_markdown(verdict)}
    comments = f"{place.api}/repos/{place.repository}/issues/{place.number}/comments"
    old = _find_comment(place, comments, find_marker(verdict))
    if old is None:
        answer = _ask(place, "POST", comments, body)
    else:
        answer = _ask(place, "PATCH", f"{place.api}/repos/{place.repository}/issues/comments/{int(old)}", body)
    return str(answer.get("html_url", comments))


def _find_comment(place: PullRequest, comments: str, marker: str) -> int | None:
    page = 1
    while True:
        found = _ask(place, "GET", f"{comments}?per_page={_PAGE}&page={page}")
        for comment in found:
            if str(comment.get("body", "")).startswith(marker):
                return int(comment["id"])
        if len(found) < _PAGE:
            return None
        page += 1


def _ask(place: PullRequest, method: str, address: str, body: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 (the scheme was checked)
        address,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {place.token}",
            "Content-Type": "application/json",
            "User-Agent": "skewcheck",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 (as above)
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SkewcheckError(
            f"GitHub answered {error.code} to {method} on pull request {place.number}",
            remedy="Give the job `permissions: pull-requests: write`; a pull request from a fork has none.",
        ) from error
    except (OSError, ValueError) as error:
        raise SkewcheckError(f"GitHub cannot be reached: {error}", remedy="Run the step again.") from error
