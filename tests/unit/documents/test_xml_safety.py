"""XML of strangers: what is refused before the parser sees it, and what must still be read."""

from __future__ import annotations

import pytest
from lxml import etree

from gateway.documents.xml import encoding_of, has_doctype, parse_xml, where_of, xpath_of
from gateway.sandbox.model import Limits

LIMITS = Limits()
SMALL = Limits(xml_bytes=1000, xml_depth=20, xml_elements=50)
DOCTYPE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


def refused(data: bytes, limits: Limits = LIMITS) -> str:
    root, issue = parse_xml(data, limits)
    assert (root is None) != (issue is None)
    return issue.rule_id if issue is not None else ""


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "latin-1"],
)
def test_a_doctype_is_refused_in_every_encoding(encoding: str) -> None:
    assert refused(DOCTYPE.encode(encoding)) == "ABU-01"


def test_a_doctype_behind_comments_and_instructions_is_refused() -> None:
    prolog = '<?xml version="1.0"?><!-- <a> --><?pi <!-- ?>\n'
    assert refused((prolog + DOCTYPE).encode()) == "ABU-01"


def test_a_doctype_quoted_in_a_cdata_section_is_text() -> None:
    assert refused(b"<a><![CDATA[<!DOCTYPE html>]]></a>") == ""
    assert refused(b"<a><!-- <!DOCTYPE html> --></a>") == ""


@pytest.mark.parametrize(
    "declared",
    [b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-<a/>', '<?xml version="1.0"?><a/>'.encode("cp500")],
)
def test_an_encoding_in_which_a_doctype_could_hide_is_refused(declared: bytes) -> None:
    assert refused(declared) == "ABU-11"


def test_billion_laughs_never_reach_the_parser() -> None:
    bomb = b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'
    assert refused(bomb) == "ABU-01"


def test_a_document_above_the_size_is_refused_unread() -> None:
    assert refused(b"<" * 2000, SMALL) == "ABU-08"


def test_depth_is_limited_at_the_level_of_the_setting() -> None:
    assert refused(b"<a>" * 20 + b"</a>" * 20, SMALL) == ""
    assert refused(b"<a>" * 21 + b"</a>" * 21, SMALL) == "ABU-07"
    assert refused(b"<a>" * 5000 + b"</a>" * 5000) == "ABU-07"


def test_elements_are_counted_before_a_tree_is_made() -> None:
    assert refused(b"<a>" + b"<b/>" * 100 + b"</a>", SMALL) == "ABU-07"


def test_a_base64_body_above_ten_million_characters_is_read() -> None:
    root, issue = parse_xml(b"<a>" + b"QUJD" * 2_600_000 + b"</a>", LIMITS)
    assert issue is None
    assert root is not None
    assert root.text is not None
    assert len(root.text) == 10_400_000


def test_a_broken_document_tells_its_line() -> None:
    root, issue = parse_xml(b"<a>\n<b>\n</a>", LIMITS)
    assert root is None
    assert issue is not None
    assert (issue.rule_id, issue.hit.where.line) == ("CDA-01", 3)


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff\xfe", b"\xff\xfe<", b"<", b"<?xml", b"<!--", b"texte", b"\xef\xbb\xbf"]
)
def test_odd_octets_give_an_issue(data: bytes) -> None:
    assert refused(data) in {"CDA-01", "ABU-11"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "iso-8859-1"])
def test_an_accent_is_read_in_each_encoding(encoding: str) -> None:
    declared = "utf-16" if encoding == "utf-16-be" else encoding.removesuffix("-sig")
    data = f'<?xml version="1.0" encoding="{declared}"?>\n<a>é</a>'.encode(encoding)
    root, issue = parse_xml(data, LIMITS)
    assert issue is None
    assert root is not None
    assert root.text == "é"
    assert root.sourceline == 2


def test_a_comment_cannot_cut_a_value() -> None:
    root, _ = parse_xml(b"<a>DU<!-- x -->PONT</a>", LIMITS)
    assert root is not None
    assert root.text == "DUPONT"


def test_comments_stay_where_a_signature_covers_them() -> None:
    root, _ = parse_xml(b"<a><!-- x --></a>", LIMITS, keep_comments=True)
    assert root is not None
    assert len(root) == 1


def test_the_prolog_scan_visits_each_comment_once() -> None:
    """Linear by construction: each step jumps over what it read, counted here by the finds it makes."""

    class Counting(bytes):
        finds = 0

        def find(self, *args: object) -> int:  # type: ignore[override]
            Counting.finds += 1
            return super().find(*args)  # type: ignore[arg-type]

    assert not has_doctype(Counting(b"<!---->" * 10_000 + b"<a/>"))
    assert Counting.finds <= 2 * 10_000 + 2


def test_a_path_counts_only_brothers_of_the_same_name() -> None:
    root = etree.fromstring(b"<r xmlns='u'><a/><b><c/><c/></b></r>")
    assert xpath_of(root[0]) == "/r/a"
    assert xpath_of(root[1][1]) == "/r/b/c[2]"
    assert where_of(root[1][0], "id").path == "/r/b/c[1]/@id"


def test_the_encoding_is_read_from_mark_then_first_character_then_declaration() -> None:
    assert encoding_of(b"\xef\xbb\xbf<a/>") == "utf-8"
    assert encoding_of("<a/>".encode("utf-16-be")) == "utf-16-be"
    assert encoding_of(b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>') == "iso-8859-1"
    assert encoding_of(b"<a/>") == "utf-8"
