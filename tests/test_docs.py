"""The pages of the documentation: their examples run, and their links lead somewhere."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples(page):
    """What a page shows is what is printed."""
    failed, _ = doctest.testfile(str(page), module_relative=False)
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    """Pages, pictures and headings that a page refers to are there."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8")):
        path, _, heading = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        if heading:
            assert heading in headings(linked), target


def headings(page):
    """The anchors that GitHub makes of the headings of a page."""
    lines = re.findall(r"(?m)^#+ (.+)$", page.read_text("utf-8"))
    words = [re.sub(r"[^\w\- ]", "", line.lower()) for line in lines]
    return {word.replace(" ", "-") for word in words}
