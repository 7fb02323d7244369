"""Metadata and package: what they declare is what they carry, in the order and shape of ebRIM."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from hashlib import sha1
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from lxml import etree

from gateway.directory.territory import load_territory
from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import Lot, LotEntry, ids_from, oid_from, submit_objects_request, xcn, xon
from gateway.documents.build_xdm import METADATA, SUBSET, build_xdm, lot_of, package_files
from gateway.documents.open_xdm import open_xdm
from gateway.values import PlaceKind, Where
from tests.support.documents import AT, IDS, letter
from tests.support.reference import need_tool, reference

RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
ORDER = [RIM + n for n in ("Slot", "Name", "Description", "VersionInfo", "Classification", "ExternalIdentifier")]
HERE = Where(PlaceKind.FILE, "test")


def _root(lot: Lot) -> etree._Element:
    return etree.fromstring(submit_objects_request(lot))


def _slots(element: etree._Element) -> dict[str, list[str]]:
    return {s.get("name", ""): [v.text or "" for v in s.iter(RIM + "Value")] for s in element.findall(RIM + "Slot")}


def _first(root: etree._Element, name: str) -> etree._Element:
    return next(root.iter(RIM + name))


def test_hash_and_size_are_those_of_the_octets_in_the_package() -> None:
    lot = lot_of(letter(), IDS, AT)
    with ZipFile(BytesIO(build_xdm(lot))) as package:
        document = package.read(SUBSET + "DOC0001.XML")
        slots = _slots(_first(etree.fromstring(package.read(METADATA)), "ExtrinsicObject"))
    assert slots["hash"] == [sha1(document, usedforsecurity=False).hexdigest().upper()]
    assert slots["size"] == [str(len(document))]
    assert slots["URI"] == ["DOC0001.XML"]
    assert document == build_cda(letter())


def test_elements_follow_the_order_of_the_schema() -> None:
    for element in _root(lot_of(letter(), IDS, AT)).iter(RIM + "RegistryPackage", RIM + "ExtrinsicObject"):
        places = [ORDER.index(str(child.tag)) for child in element]
        assert places == sorted(places)


def test_every_reference_points_to_its_own_object_and_ids_are_unique() -> None:
    root = _root(lot_of(letter(), IDS, AT))
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter(RIM + "Classification"):
        assert element.xpath("@classifiedObject = ../@id")
    for element in root.iter(RIM + "ExternalIdentifier"):
        assert element.xpath("@registryObject = ../@id")
    (member,) = root.iter(RIM + "Association")
    assert member.get("sourceObject") == IDS.set_id
    assert member.get("targetObject") == IDS.entry_id


def test_times_are_utc_and_the_patient_is_told_in_full() -> None:
    slots = _slots(_first(_root(lot_of(letter(), IDS, AT)), "ExtrinsicObject"))
    assert slots["creationTime"] == ["20250317093000"]
    assert slots["serviceStartTime"] == ["20250312093000"]
    assert slots["sourcePatientInfo"] == [
        "PID-5|DELMAS^SUZANNE^SUZANNE MARIE LOUISE^^^^L",
        "PID-5|CARPENTIER^SUZANNE^^^^^D",
        "PID-7|19390308",
        "PID-8|F",
        "PID-11|^^^^^^BDL^^48901",
    ]
    assert slots["sourcePatientId"] == ["CH000101^^^&1.2.250.1.999.48.1.480990019&ISO^PI"]


def test_a_qualified_identity_is_named_by_its_ins_and_any_other_by_its_local_number() -> None:
    def patient_ids(patient: str) -> set[str]:
        root = _root(lot_of(letter(patient), IDS, AT))
        return {str(e.get("value")) for e in root.iter(RIM + "ExternalIdentifier") if "&" in str(e.get("value"))}

    assert patient_ids("delmas-suzanne") == {"239034890101755^^^&1.2.250.1.213.1.4.10&ISO^NH"}
    assert patient_ids("moreau-camille") == {"CH000109^^^&1.2.250.1.999.48.1.480990019&ISO^PI"}


def test_a_deposit_leaves_hash_size_and_uri_to_the_registry_unless_asked() -> None:
    record = letter()
    lot = Lot(IDS.set_unique_id, "1.2.3", AT, record.author, record.structure, (LotEntry(record, build_cda(record)),))
    slots = _slots(_first(_root(lot), "ExtrinsicObject"))
    assert not {"hash", "size", "URI"} & set(slots)
    asked = _slots(_first(_root(replace(lot, digests=True)), "ExtrinsicObject"))
    assert {"hash", "size"} <= set(asked)
    assert "status" not in _first(_root(lot), "RegistryPackage").attrib


def test_a_replacement_is_told_by_an_association_in_the_registry_and_by_an_action_in_a_package() -> None:
    record = letter(version=2, replaces="1.2.3.4")
    old = "urn:uuid:2b5a4a0e-0000-4000-8000-000000000001"
    entry = LotEntry(record, build_cda(record), replaces_entry=old)
    lot = Lot(IDS.set_unique_id, "1.2.3", AT, record.author, record.structure, (entry,))
    kinds = {e.get("associationType"): e.get("targetObject") for e in _root(lot).iter(RIM + "Association")}
    assert kinds["urn:ihe:iti:2007:AssociationType:RPLC"] == old
    package = _slots(_first(_root(lot_of(record, IDS, AT)), "ExtrinsicObject"))
    assert package["urn:action:extraMetadataSlot"] == ["C"]


def test_masks_are_added_after_the_confidentiality_of_the_document() -> None:
    lot = lot_of(letter(), IDS, AT)
    masked = replace(lot, entries=(replace(lot.entries[0], masks=("MASQUE_PS",)),))
    codes = [
        e.get("nodeRepresentation")
        for e in _root(masked).iter(RIM + "Classification")
        if str(e.get("classificationScheme")).endswith("f2705394840f")
    ]
    assert codes == ["N", "MASQUE_PS"]


def test_extra_objects_are_kept_as_they_are_and_a_fragment_has_no_declaration() -> None:
    fragment = b'<ExtrinsicObject xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" id="Signature01"/>'
    lot = replace(lot_of(letter(), IDS, AT), extra=(fragment,))
    assert [e.get("id") for e in _root(lot).iter(RIM + "ExtrinsicObject")] == [IDS.entry_id, "Signature01"]
    assert submit_objects_request(lot, declaration=False).startswith(b"<lcm:SubmitObjectsRequest")


def test_separators_of_hl7_in_a_name_do_not_shift_components() -> None:
    structure = replace(load_territory().structures["siao"], name="A^B&C|D")
    assert xon(structure).startswith("A B C D^^^^^&")
    assert xcn(load_territory().professionals["aubry-paul"]).endswith("&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS")


def test_the_package_opens_without_a_remark() -> None:
    opened = open_xdm(build_xdm(lot_of(letter(), IDS, AT)), "xdm", HERE)
    assert opened.issues == ()
    assert opened.has_index
    assert opened.has_readme
    assert [d.issues for d in opened.documents] == [()]
    assert [m.issues for m in opened.metadata] == [()]


def test_the_package_has_the_layout_and_names_of_the_standard(tmp_path: Path) -> None:
    names = [name for name, _ in package_files(lot_of(letter(), IDS, AT))]
    assert names == ["INDEX.HTM", "README.TXT", "IHE_XDM/", SUBSET, METADATA, SUBSET + "DOC0001.XML"]
    tool = need_tool("unzip", "apt-get install unzip")
    file = tmp_path / "IHE_XDM.zip"
    file.write_bytes(build_xdm(lot_of(letter(), IDS, AT)))
    assert b"No errors detected" in subprocess.run([tool, "-t", str(file)], capture_output=True, check=True).stdout


def test_the_same_lot_gives_the_same_package() -> None:
    assert build_xdm(lot_of(letter(), IDS, AT)) == build_xdm(lot_of(letter(), IDS, AT))


def test_ids_depend_on_the_seed_alone_and_fit_an_oid() -> None:
    assert ids_from("a") == ids_from("a")
    assert ids_from("a") != ids_from("b")
    for seed in map(str, range(50)):
        oid = oid_from(seed, "lot")
        assert len(oid) <= 64
        assert all(arc == "0" or not arc.startswith("0") for arc in oid.split("."))


@pytest.mark.reference
def test_slots_and_schemes_are_those_of_the_published_packages() -> None:
    tree = etree.parse(str(reference("cda/metadata/DOC_NON_STRUCTURE_CDA-R2-N1/METADATA.XML")))
    ours = _root(lot_of(letter(), IDS, AT))

    def schemes(root: etree._Element) -> set[str]:
        names = ("classificationScheme", "classificationNode", "identificationScheme")
        return {str(e.get(n)) for e in root.iter() for n in names if e.get(n)}

    theirs = tree.getroot()
    optional = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"  # eventCodeList
    assert schemes(theirs) - {optional} <= schemes(ours)
    wanted = _slots(_first(theirs, "ExtrinsicObject"))
    assert set(wanted) <= set(_slots(_first(ours, "ExtrinsicObject")))
