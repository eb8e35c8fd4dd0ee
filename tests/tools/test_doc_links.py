"""Links of the documents lead somewhere."""

from pathlib import Path

from tools.doc_links import broken_links

PAGE = """# One & only `thing`
[here](#one--only-thing) [there](other.md#some) [gone](gone.md) [lost](other.md#none)
[elsewhere](https://example.org/x)
```
[no link](nowhere.md)
```
"""


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    (tmp_path / "other.md").write_text("## Some\n")
    assert [line.partition(": ")[2] for line in broken_links(tmp_path / "page.md")] == [
        "gone.md: no such file",
        "other.md#none: no such heading",
    ]
