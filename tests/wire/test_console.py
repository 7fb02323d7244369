"""The console as a server: who may enter, under which headers, and what hostile messages become on its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html.parser import HTMLParser

import httpx
import pytest

from adapters.testing.running import RunningGateway
from gateway.samples import sample_named
from tests.support.live import MATRICULE, NURSING_HOME, SENDER, TWIN, as_new, plain_mail, send_sample

HTML = {"Accept": "text/html,application/xhtml+xml"}
SCRIPT = "<script>alert('xss')</script>"
IMAGE = '"><img src=x onerror=alert(1)>'


@pytest.fixture
def outside(passerelle: RunningGateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{passerelle.port('http')}", headers=HTML) as client:
        yield client


@pytest.fixture
def inside(passerelle: RunningGateway, outside: httpx.Client) -> httpx.Client:
    entered = outside.post("/entrer", data={"token": passerelle.run["token"]})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    return outside


class Tags(HTMLParser):
    """The tags of a page with their attributes, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_inert(page: str, path: str) -> None:
    """Nothing on a page runs, styles or loads but our own files."""
    for tag, attributes in Tags(page).found:
        assert tag not in ("style", "iframe", "object", "embed", "base"), path
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc")], path
        for name in ("src", "href", "action"):
            target = attributes.get(name)
            assert target is None or target.startswith(("/", "#", "?")), (path, tag, target)
            assert target is None or not target.startswith("//"), (path, tag, target)
        if tag in ("script", "img", "link"):
            assert str(attributes.get("src") or attributes.get("href")).startswith("/static/"), path


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found
    return found[1]


# ---------------------------------------------------------------------------------------------------------- coming in


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/lignes",
        "/direct",
        "/echanges/x",
        "/echanges/x/octets",
        "/echanges/x/histoire",
        "/refus/1",
        "/regles",
        "/regles/INS-004",
        "/territoire",
        "/api",
        "/vider",
    ],
)
def test_every_page_is_behind_the_cookie(outside: httpx.Client, path: str) -> None:
    answer = outside.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/entrer")


def test_the_cookie_is_for_this_site_and_for_no_script(passerelle: RunningGateway, outside: httpx.Client) -> None:
    wrong = outside.post("/entrer", data={"token": "not-it"})
    assert wrong.status_code == 403
    assert "set-cookie" not in wrong.headers
    cookie = outside.post("/entrer", data={"token": f" {passerelle.run['token']}\n"}).headers["set-cookie"]
    assert cookie.startswith(f"passerelle_{passerelle.port('http')}=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert passerelle.run["token"] not in cookie


def test_the_printed_link_opens_once(passerelle: RunningGateway, outside: httpx.Client) -> None:
    link = passerelle.run["console"]
    assert outside.get(link).status_code in (303, 403)
    with httpx.Client(headers=HTML) as another:
        again = another.get(link)
    assert again.status_code == 403
    assert "déjà servi" in again.text
    assert "set-cookie" not in again.headers


def test_leaving_and_emptying_need_a_form_of_ours(passerelle: RunningGateway, inside: httpx.Client) -> None:
    passerelle.submit(plain_mail(), SENDER, NURSING_HOME)
    csrf = csrf_of(inside.get("/vider"))
    for form, headers in [
        ({}, {}),
        ({"csrf": "0" * 64}, {}),
        ({"csrf": csrf}, {"Origin": "https://evil.example"}),
        ({"csrf": csrf}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": csrf}, {"Sec-Fetch-Site": "same-site"}),
    ]:
        for path in ("/vider", "/sortir"):
            assert inside.post(path, data=form, headers=headers).status_code == 403
    assert inside.post("/vider", json={"csrf": csrf}).status_code == 403
    assert passerelle.get("/exchanges")["exchanges"]
    own = {"Origin": str(inside.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert inside.post("/vider", data={"csrf": csrf}, headers=own).status_code == 303
    assert passerelle.get("/exchanges")["exchanges"] == []
    assert inside.post("/sortir", data={"csrf": csrf}).headers["location"] == "/entrer"
    assert inside.get("/").status_code == 303


def test_another_site_cannot_log_a_reader_in(passerelle: RunningGateway, outside: httpx.Client) -> None:
    token = {"token": passerelle.run["token"]}
    refused = outside.post("/entrer", data=token, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert outside.post("/entrer", content=b"token=" + b"x" * 100_000).status_code == 403


def test_a_foreign_host_name_gets_no_page(inside: httpx.Client) -> None:
    for path in ("/", "/entrer", "/direct"):
        assert inside.get(path, headers={"Host": "evil.example"}).status_code == 421


# ------------------------------------------------------------------------------------------------------------ headers


def test_every_answer_carries_the_strict_policy(passerelle: RunningGateway, inside: httpx.Client) -> None:
    send_sample(passerelle, TWIN)
    one = passerelle.get("/exchanges")["exchanges"][0]["id"]
    paths = ["/", "/entrer", "/lignes?since=0", f"/echanges/{one}", f"/echanges/{one}/histoire"]
    paths += [
        f"/echanges/{one}/octets",
        "/regles",
        "/regles/INS-150",
        "/territoire",
        "/api",
        "/vider",
        "/echanges/none",
    ]
    with httpx.Client(base_url=inside.base_url, headers=HTML) as stranger:
        answers = [stranger.get("/entrer"), *(inside.get(path) for path in paths if path != "/entrer")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


def test_no_page_holds_inline_style_or_script_or_a_foreign_address(
    passerelle: RunningGateway, inside: httpx.Client
) -> None:
    send_sample(passerelle, TWIN)
    one = passerelle.get("/exchanges")["exchanges"][0]["id"]
    for path in (
        "/",
        f"/echanges/{one}",
        "/regles",
        "/regles/INS-150",
        "/territoire",
        "/api",
        "/vider",
        "/echanges/no",
    ):
        assert_inert(inside.get(path).text, path)


def test_octets_are_downloaded_and_never_shown(passerelle: RunningGateway, inside: httpx.Client) -> None:
    raw = plain_mail(body="<html><script>alert(1)</script></html>").replace(b"text/plain", b"text/html")
    passerelle.submit(raw, SENDER, NURSING_HOME)
    one = passerelle.get("/exchanges")["exchanges"][0]["id"]
    answer = inside.get(f"/echanges/{one}/octets")
    assert answer.content == raw
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="{one}.eml"'


def test_paths_do_not_leave_the_static_folder(inside: httpx.Client) -> None:
    for path in ("/static/../routes.py", "/static/%2e%2e/routes.py", "/static/..%2froutes.py", "/static/none.css"):
        assert inside.get(path).status_code == 404
    for path in (
        "/echanges/..%2f..%2fetc%2fpasswd",
        "/echanges/%00",
        f"/echanges/{'a' * 4000}",
        "/regles/%3Cscript%3E",
    ):
        answer = inside.get(path)
        assert answer.status_code == 404
        assert "<script>" not in answer.text
    assert inside.get(f"/refus/{10**30}").status_code == 404


# ------------------------------------------------------------------------------------------------------ hostile mails


def hostile_mail() -> bytes:
    """Scripts wherever a mail can hold a word that a page shows."""
    file_name = IMAGE.replace('"', '\\"')
    return f"""From: "{SCRIPT}" <{SENDER}>
To: "{SCRIPT}" <{NURSING_HOME}>
Subject: {SCRIPT}{IMAGE}
Message-ID: <{SCRIPT}@exemple.mssante.fr>
Date: {format_datetime(datetime.now(UTC))}
X-MSS-NIL: {SCRIPT}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

{SCRIPT}
--b
Content-Type: application/pdf; name="{SCRIPT}{file_name}"
Content-Disposition: attachment; filename="{SCRIPT}{file_name}.pdf"

x
--b
Content-Type: {SCRIPT}/x

x
--b--
""".replace("\n", "\r\n").encode()


def hostile_document() -> bytes:
    """A CDA whose title, names and codes are scripts."""
    raw = sample_named("valide-cda").build()
    escaped = SCRIPT.replace("<", "&lt;").replace(">", "&gt;").encode()
    raw = re.sub(rb"<title>[^<]*</title>", b"<title>" + escaped + b"</title>", raw)
    return re.sub(rb"<family([^>]*)>[^<]*</family>", rb"<family\1>" + escaped + b"</family>", raw)


def test_scripts_in_a_mail_are_words_on_the_page(passerelle: RunningGateway, inside: httpx.Client) -> None:
    assert passerelle.submit(hostile_mail(), SENDER, NURSING_HOME).code in (250, 554)
    document = EmailMessage()
    document["From"], document["To"], document["Subject"] = SENDER, NURSING_HOME, "XDM"
    document["Message-ID"] = "<hostile-2@exemple.mssante.fr>"
    document.set_content("Bonjour")
    document.add_attachment(hostile_document(), maintype="text", subtype="xml", filename="a.xml")
    passerelle.submit(document.as_bytes(policy=document.policy.clone(linesep="\r\n")), SENDER, NURSING_HOME)
    exchanges = passerelle.get("/exchanges")["exchanges"]
    assert len(exchanges) >= 2
    pages = ["/", "/lignes?since=0", f"/?participant={SCRIPT}&rule={IMAGE}"]
    pages += [f"/echanges/{e['id']}{part}" for e in exchanges for part in ("", "/histoire")]
    for path in pages:
        for query in ("", "&lang=en" if "?" in path else "?lang=en"):
            assert_inert(inside.get(f"{path}{query}").text, path)
    assert "&lt;script&gt;" in inside.get("/").text


def test_no_page_shows_a_trait_or_a_matricule(passerelle: RunningGateway, inside: httpx.Client) -> None:
    send_sample(passerelle, TWIN)
    send_sample(passerelle, "valide-mail-au-patient")
    for exchange in passerelle.get("/exchanges")["exchanges"]:
        text = inside.get(f"/echanges/{exchange['id']}").text
        for clear in ("BRUNEL", "ODETTE", "COLETTE", "DELMAS", "SUZANNE", MATRICULE):
            assert clear.casefold() not in text.casefold(), clear
    assert MATRICULE not in inside.get("/").text


# ----------------------------------------------------------------------------------------------------------- contents


def test_a_refusal_is_explained_in_both_languages(passerelle: RunningGateway, inside: httpx.Client) -> None:
    send_sample(passerelle, TWIN)
    one = passerelle.get("/exchanges", outcome="reject")["exchanges"][0]["id"]
    french = inside.get(f"/echanges/{one}").text
    english = inside.get(f"/echanges/{one}?lang=en").text
    for words in ("Refusé", "Rien n&#39;est parti", "Comment corriger", "INS-150", "<mark>", "rien n&#39;est parti"):
        assert words in french
    for words in ("Refused", "Nothing left", "How to mend", "INS-150", "some traits differ", "CH de Brumeval"):
        assert words in english
    for word in ("Comment corriger", "Bloquant", "Le trajet", "Réponse donnée", "Faits"):
        assert word not in english
    assert 'lang="en"' in inside.get("/").text, "the choice is kept"
    assert 'lang="fr"' in inside.get("/?lang=fr").text


def test_a_refusal_before_any_message_is_listed_and_explained(passerelle: RunningGateway, inside: httpx.Client) -> None:
    assert passerelle.submit(plain_mail(), SENDER, "quelquun@ailleurs.example").code >= 500
    page = inside.get("/").text
    found = re.search(r'href="(/refus/\d+)"', page)
    assert found
    told = inside.get(found[1]).text
    assert "Refusé à la porte" in told
    assert "Comment corriger" in told
    assert re.search(r'href="/refus/\d+"', inside.get("/?outcome=reject").text)
    assert not re.search(r'href="/refus/\d+"', inside.get("/?outcome=accept").text)


def test_duplicates_and_unread_mail_are_told_on_the_road(passerelle: RunningGateway, inside: httpx.Client) -> None:
    raw = plain_mail("Deux fois")
    for _ in range(2):
        passerelle.submit(raw, SENDER, NURSING_HOME)
    passerelle.wait_for(door="smtp-reception", until="delivered")
    second = passerelle.get("/exchanges", door="smtp-submission")["exchanges"][0]
    page = inside.get(f"/echanges/{second['id']}").text
    assert "remis une seule fois" in page
    assert f"/echanges/{second['summary']['duplicate_of']}" in page
    assert "pas encore lu" in page
    assert "doublon" in inside.get("/").text


def test_the_list_is_filtered_by_what_the_form_asks(passerelle: RunningGateway, inside: httpx.Client) -> None:
    send_sample(passerelle, TWIN)
    passerelle.submit(as_new(plain_mail("Simple")), SENDER, NURSING_HOME)
    passerelle.wait_for(door="smtp-reception", until="delivered")
    for query, count in [
        ("", 3),
        ("outcome=reject", 1),
        ("outcome=accept", 2),
        ("door=smtp-reception", 1),
        ("rule=ins-150", 1),
        (f"participant={NURSING_HOME.upper()}", 3),
        ("rule=INS-999", 0),
    ]:
        rows = re.findall(r"<tr class=\"row", inside.get(f"/?{query}").text)
        assert len(rows) == count, query
    assert "Aucun échange ne correspond" in inside.get("/?rule=INS-999").text
    passerelle.reset()
    assert "Rien n&#39;est encore passé" in inside.get("/").text


def test_unknown_pages_speak_the_language_of_who_asks(passerelle: RunningGateway, inside: httpx.Client) -> None:
    page = inside.get("/nulle-part")
    assert page.status_code == 404
    assert "Cette page n&#39;existe pas" in page.text
    assert inside.get("/nulle-part", headers={"Accept": "application/json"}).json()["code"] == "not-found"
    assert inside.put("/regles").status_code == 405


def test_the_api_is_documented_from_its_own_description(inside: httpx.Client) -> None:
    page = inside.get("/api").text
    for words in (
        "/api/v1/exchanges/{exchange_id}/story",
        "/api/v1/wait",
        "smtp-submission | smtp-reception",
        "timeout_s",
    ):
        assert words in page
