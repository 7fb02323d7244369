"""Calls of INSi: a search by traits and a verification, sound; then questions about nobody, and calls that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC

from gateway.directory.model import Patient
from gateway.insi.asking import Envelope, Software, write_call
from gateway.insi.model import Ins, Matricule, Operation, Query, Traits, Verification
from gateway.insi.names import action_of
from gateway.samples.calls import Call, CallBench, Request, uuid_from
from gateway.samples.parts import changed
from gateway.values import Text

CONTENT_TYPE = "application/soap+xml; charset=utf-8"


def _traits(patient: Patient) -> Traits:
    return Traits(patient.family, (patient.given,), patient.sex, patient.birth_date)


def _verification(patient: Patient) -> Verification:
    matricule = Matricule(patient.matricule[:13], patient.matricule[13:], "NIR")
    listed = patient.given_list
    traits = Traits(patient.family, (listed,), patient.sex, patient.birth_date, patient.birth_place, listed)
    return Verification(Ins(matricule, patient.oid), traits)


@dataclass(frozen=True, slots=True)
class _Question:
    """One call about the patient, or about who a change makes of him."""

    name: str
    ask: Callable[[Patient], Query]
    answer: str
    rules: tuple[str, ...]
    fr: str
    en: str
    change: Callable[[Patient], Patient] = lambda patient: patient
    octets: Callable[[bytes], bytes] = lambda octets: octets
    told: tuple[str, ...] | None = None  # `rules` when absent

    def request(self, bench: CallBench) -> Request:
        """The envelope."""
        query = self.ask(self.change(bench.patient))
        operation = Operation.VERIFY if isinstance(query, Verification) else Operation.TRAITS
        seed = bench.seed(self.name)
        software = Software("PASSERELLE01", "passerelle", "1.0", bench.structure.finess, "0001")
        envelope = Envelope(
            f"urn:uuid:{uuid_from(seed, 'message')}", uuid_from(seed, "context"), bench.bench.at.astimezone(UTC)
        )
        body = self.octets(write_call(operation, query, software, envelope))
        return Request(f'{CONTENT_TYPE}; action="{action_of(operation)}"', body)


_QUESTIONS = (
    _Question(
        "valide-insi-recherche",
        _traits,
        "CR 00",
        (),
        "rechercherInsAvecTraitsIdentite : la patiente est trouvée, avec son INS.",
        "rechercherInsAvecTraitsIdentite: the patient is found, with her INS.",
    ),
    _Question(
        "valide-insi-verification",
        _verification,
        "CR 00",
        (),
        "verifierInsAvecTraitsIdentite : l'INS et les traits vont ensemble.",
        "verifierInsAvecTraitsIdentite: INS and traits go together.",
    ),
    _Question(
        "insi-recherche-personne-inconnue",
        _traits,
        "CR 01",
        (),
        "Une recherche qui ne trouve personne : l'appel est juste, la base ne connaît pas ces traits.",
        "A search that finds nobody: the call is right, the base does not know these traits.",
        change=lambda p: replace(p, family="DELMASSE"),
    ),
    _Question(
        "insi-verification-contredite",
        _verification,
        "CR 01",
        (),
        "Une vérification contredite : les prénoms ne sont pas ceux de cette INS.",
        "A verification that is contradicted: the given names are not those of this INS.",
        change=lambda p: replace(p, given_list="SUZANNE ANNE"),
    ),
    _Question(
        "insi-minuscules",
        _traits,
        "insi_102",
        ("INS-187",),
        "Le nom en minuscules : refusé avant toute recherche.",
        "The name in lower case: refused before any search.",
        change=lambda p: replace(p, family="Delmas"),
    ),
    _Question(
        "insi-accents",
        _traits,
        "insi_102",
        ("INS-187",),
        "Un accent dans le nom : l'appelant translittère, le service ne corrige pas.",
        "A diacritic in the name: the caller transliterates, the service does not mend.",
        change=lambda p: replace(p, family="DÉLMAS"),
    ),
    _Question(
        "insi-sexe-absent",
        _traits,
        "insi_102",
        ("INS-186",),
        "Le sexe manque : personne ne peut être cherché sans lui.",
        "The sex is missing: nobody can be searched without it.",
        change=lambda p: replace(p, sex=""),
    ),
    _Question(
        "insi-sans-numero-d-autorisation",
        _traits,
        "desir_550",
        (),
        "ContexteLPS sans numéro d'autorisation (IDAM) : le logiciel n'est pas reconnu.",
        "ContexteLPS without an authorisation number (IDAM): the software is not known.",
        octets=lambda octets: changed(octets, ">PASSERELLE01<", "><"),
        told=("INSI-17",),
    ),
)


def insi_calls(bench: CallBench) -> Iterator[Call]:
    """Requests of INSi, valid ones first."""
    for question in _QUESTIONS:
        yield Call(
            question.name,
            f"{question.name}.xml",
            "insi",
            _builder(question, bench),
            question.answer,
            question.rules if question.told is None else question.told,
            question.rules,
            Text(question.fr, question.en),
        )


def _builder(question: _Question, bench: CallBench) -> Callable[[], Request]:
    return lambda: question.request(bench)
