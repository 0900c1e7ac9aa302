"""The page: plan, hits with reasons, nothing from elsewhere, nothing run that was typed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from worldline.retrieval import parse
from worldline.serve.page import EXAMPLES, build_page

FALLS = "something falls from a height"


class Links(HTMLParser):
    """Every address that a page names, and its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("src", "href", "poster", "action"):
                self.links.append(value)


def test_an_answer_shows_plan_guesses_hits_and_reasons(client):
    answer = client.get("/", params={"q": FALLS})
    assert answer.status_code == 200
    html = answer.text
    assert "A fall with height more than 0.5 m." in html
    assert "“from a height” is taken for “height more than 0.5 m”" in html
    assert html.count('<li class="hit"') == 3
    assert html.count("<video") == 2
    assert "in no media folder" in html
    assert "(asked: more than 0.5\u202fm)" in html
    seen = Links(html)
    for link in seen.links:
        assert client.get(link).status_code == 200, link
    assert "script" not in seen.tags
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_the_page_without_a_question_offers_some(client):
    html = client.get("/").text
    assert all(example in html for example in EXAMPLES)
    assert "4 videos (4 simulated)" in html
    style = client.get("/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in style.text
    assert not re.search(r"url\(|@import|https?:", style.text)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_offered_questions_are_understood(example):
    assert parse(example).ignored == ()


def test_what_was_typed_is_shown_and_not_run(client):
    typed = "<script>alert(1)</script>\"'\x1b\u202e"
    answer = client.get("/", params={"q": typed})
    assert answer.status_code == 422
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert 'role="alert"' in answer.text
    assert "\x1b" not in answer.text
    assert client.get("/", params={"q": "x" * 3000}).status_code == 422


def test_words_that_were_not_understood_are_told(client):
    html = client.get("/", params={"q": "nothing falls"}).text
    assert "No fall in the whole video." in html
    fall = {"op": "event", "type": "fall", "roles": {"object": {"labels": ["lamp"]}}}
    near = {"words": "quickley", "known": "quick", "by": "spelling"}
    plan = {"sentence": "A fall.", "guesses": [], "ignored": ["quickley"], "suggestions": [near]}
    html = build_page(None, query="falls", answer={"plan": {**plan, "query": fall}, "hits": []})
    assert "not understood: quickley" in html
    assert "“quickley”: did you mean “quick”?" in html
    assert "in place of lamp" in html
    assert "No hit" in html


def test_an_empty_library_says_what_to_do(own):
    assert "The library is empty" in own.get("/").text
    answer = own.get("/", params={"q": FALLS})
    assert answer.status_code == 409
    assert "no library here yet" in answer.text
