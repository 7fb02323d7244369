"""The commands and their options, as typer reads them. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.derogation_commands import derogations_app
from adapters.cli.identity_commands import identities_app, quarantine_app
from adapters.cli.options import LANG, DataOption, LangOption, t


class Format(StrEnum):
    """Output formats of `check`."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"


class CohortFormat(StrEnum):
    """Output formats of `cohort`."""

    TEXT = "text"
    JSON = "json"


class RulesFormat(StrEnum):
    """Output formats of `rules`."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class As(StrEnum):
    """Whose duties `check` judges."""

    EMISSION = "emission"
    RECEPTION = "reception"


class Profile(StrEnum):
    """Named strictness."""

    STRICT = "strict"
    OFFICIAL = "official-samples"
    LENIENT = "lenient_canonical"


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=t(
        "Bac à sable des services socles de la santé : MSSanté, DMP, identitovigilance INS.\n\n"
        "Pour commencer : « passerelle demo » raconte une histoire complète ; « passerelle up » démarre tout.",
        "Sandbox of the French health exchange services: MSSanté, DMP, INS identity vigilance.\n\n"
        'To begin: "passerelle demo" plays a whole story; "passerelle up" starts everything.',
    ),
)
pki_app = typer.Typer(no_args_is_help=True, help=t("IGC de test : certificats, révocation.", "Test PKI: certificates."))
actors_app = typer.Typer(no_args_is_help=True, help=t("Le territoire et ses acteurs.", "The territory and its actors."))
scenario_app = typer.Typer(no_args_is_help=True, help=t("Les scénarios.", "The scenarios."))
app.add_typer(pki_app, name="pki")
app.add_typer(actors_app, name="actors")
app.add_typer(scenario_app, name="scenario")
app.add_typer(identities_app, name="identities")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(derogations_app, name="derogations")


@app.callback()
@pki_app.callback()
@actors_app.callback()
@scenario_app.callback()
@identities_app.callback()
@quarantine_app.callback()
@derogations_app.callback()
def root(lang: LangOption = LANG) -> None:
    """Options that stand before the command: the language was read before the words were parsed."""


@app.command(help=t("Démarre tout et affiche les points d'accès.", "Start everything and print the endpoints."))
def up(
    data: DataOption = Path("data"),
    port_offset: Annotated[int | None, typer.Option(help=t("Décale tous les ports.", "Shift every port."))] = None,
    bind: Annotated[str | None, typer.Option(help=t("Adresse d'écoute.", "Address to listen on."))] = None,
    hostname: Annotated[
        list[str] | None, typer.Option(help=t("Nom ajouté aux certificats.", "Name added to the certificates."))
    ] = None,
    config: Annotated[Path | None, typer.Option(help=t("Fichier TOML.", "TOML file."))] = None,
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.up import run_up

    raise typer.Exit(run_up(data, port_offset, bind, tuple(hostname or ()) or None, config, LANG))


@app.command(help=t("Joue un scénario dans un bac à sable jetable.", "Play a scenario in a throw-away sandbox."))
def demo(
    scenario: Annotated[str, typer.Argument(help=t("Nom du scénario.", "Scenario name."))] = "val-de-brume",
    json: Annotated[bool, typer.Option("--json", help=t("Résultat en JSON.", "Result as JSON."))] = False,
    keep: Annotated[bool, typer.Option("--keep", help=t("Garde le bac à sable ouvert.", "Keep it running."))] = False,
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.demo import run_demo

    raise typer.Exit(run_demo(scenario, as_json=json, keep=keep, lang=LANG))


@app.command(
    help=t("Juge des fichiers hors ligne et dit comment les corriger.", "Judge files offline; say how to mend."),
    epilog=t(
        "Code de sortie : 0 conforme ou alertes, 1 bloquant, 2 mauvais usage, 3 illisible ; le pire l'emporte.",
        "Exit code: 0 clean or warnings, 1 blocking, 2 usage, 3 unreadable; the worst wins.",
    ),
)
def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar=t("FICHIER...", "FILE..."),
            help=t(
                "Mails (.eml), XDM (.zip), CDA, METADATA, SOAP, listes blanches (.xml), HL7v2 (.hl7, .er7), FHIR (.json) ; "
                "dossiers ; motifs (*.eml) ; - pour l'entrée.",
                "Mails (.eml), XDM (.zip), CDA, METADATA, SOAP, whitelists (.xml), HL7v2 (.hl7, .er7), FHIR (.json); "
                "folders; patterns (*.eml); - for standard input.",
            ),
        ),
    ],
    output: Annotated[Format, typer.Option("--format", help=t("Format du rapport.", "Report format."))] = Format.TEXT,
    profile: Annotated[Profile, typer.Option(help=t("Profil de sévérité.", "Strictness profile."))] = Profile.STRICT,
    direction: Annotated[
        As,
        typer.Option(
            "--as", help=t("Du point de vue de qui émet ou reçoit.", "As whom it is judged: sender or recipient.")
        ),
    ] = As.EMISSION,
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.check import run_check

    raise typer.Exit(run_check(files, output.value, profile.value, direction.value, LANG))


@app.command(
    help=t(
        "Écrit des fichiers valides et fautifs de chaque sorte : mails, XDM, CDA, HL7v2, FHIR ; et, avec l'IGC de "
        "--data, des requêtes DMP et INSi à envoyer par curl.",
        "Write valid and faulty files of every kind: mails, XDM, CDA, HL7v2, FHIR; and, with the authority of --data, "
        "DMP and INSi requests to send with curl.",
    )
)
def samples(
    directory: Annotated[Path, typer.Argument(help=t("Dossier à remplir.", "Folder to fill."))],
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.samples import run_samples

    raise typer.Exit(run_samples(directory, data, LANG))


@app.command(
    help=t(
        "Une population fictive dont la vérité est connue, ses messages sains et mutés, et le score de nos verdicts.",
        "A synthetic population whose truth is known, its clean and mutated messages, and the score of our verdicts.",
    )
)
def cohort(
    seed: Annotated[
        int, typer.Option(help=t("Graine : la même donne les mêmes octets.", "The same gives the same."))
    ] = 1,
    size: Annotated[int, typer.Option(help=t("Nombre de fiches.", "Number of records."))] = 1000,
    out: Annotated[Path | None, typer.Option(help=t("Dossier à remplir.", "Folder to fill."))] = None,
    mutations: Annotated[
        int | None, typer.Option(help=t("Messages mutés ; chaque mutation une fois par défaut.", "Mutated messages."))
    ] = None,
    score: Annotated[
        bool, typer.Option("--score", help=t("Juge tout et affiche la matrice.", "Judge all and print the matrix."))
    ] = False,
    output: Annotated[CohortFormat, typer.Option("--format", help=t("Format.", "Format."))] = CohortFormat.TEXT,
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.cohort import run_cohort

    raise typer.Exit(run_cohort(seed, size, out, mutations, scored=score, output=output.value, lang=LANG))


@app.command(help=t("Le catalogue des règles, ou une règle expliquée.", "The rule catalogue, or one rule explained."))
def rules(
    rule_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help=t("Par exemple INS-004.", "E.g. INS-004."))
    ] = None,
    family: Annotated[str | None, typer.Option(help=t("Filtre par famille.", "Filter by family."))] = None,
    output: Annotated[
        RulesFormat,
        typer.Option(
            "--format",
            help=t(
                "markdown et json portent les deux langues.",
                "markdown and json carry both languages.",
            ),
        ),
    ] = RulesFormat.TEXT,
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.rules import run_rules

    raise typer.Exit(run_rules(rule_id, family, output.value, LANG))


@app.command(help=t("Le journal d'un bac à sable démarré.", "The event log of a running sandbox."))
def journal(
    data: DataOption = Path("data"),
    exchange: Annotated[str, typer.Option(help=t("Un seul échange.", "One exchange only."))] = "",
    limit: Annotated[int, typer.Option(help=t("Nombre d'événements.", "How many events."))] = 50,
    verify: Annotated[bool, typer.Option("--verify", help=t("Vérifie la chaîne.", "Verify the chain."))] = False,
    json: Annotated[bool, typer.Option("--json", help=t("Une ligne JSON par événement.", "JSON lines."))] = False,
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.journal import run_journal

    raise typer.Exit(run_journal(data, exchange, limit, verify=verify, as_json=json, lang=LANG))


@app.command(help=t("Vérifie l'installation.", "Check the installation."))
def doctor(data: DataOption = Path("data"), lang: LangOption = LANG) -> None:
    from adapters.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(data, LANG))


@scenario_app.command("list", help=t("Liste les scénarios.", "List the scenarios."))
def scenario_list(lang: LangOption = LANG) -> None:
    from adapters.cli.demo import list_scenarios

    raise typer.Exit(list_scenarios(LANG))


@scenario_app.command("run", help=t("Joue un scénario.", "Play a scenario."))
def scenario_run(
    scenario: Annotated[str, typer.Argument(help=t("Nom ou fichier.", "Name or file."))],
    json: Annotated[bool, typer.Option("--json", help=t("Résultat en JSON.", "Result as JSON."))] = False,
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.demo import run_demo

    raise typer.Exit(run_demo(scenario, as_json=json, keep=False, lang=LANG))


@scenario_app.command("validate", help=t("Vérifie un fichier de scénario.", "Validate a scenario file."))
def scenario_validate(
    file: Annotated[Path, typer.Argument(help=t("Fichier YAML.", "YAML file."))], lang: LangOption = LANG
) -> None:
    from adapters.cli.demo import validate_scenario

    raise typer.Exit(validate_scenario(file, LANG))


@pki_app.command("init", help=t("Crée l'IGC de test.", "Create the test PKI."))
def pki_init(data: DataOption = Path("data"), lang: LangOption = LANG) -> None:
    from adapters.cli.pki import run_init

    raise typer.Exit(run_init(data, LANG))


@pki_app.command("issue", help=t("Émet un certificat (PEM et PKCS#12).", "Issue a certificate (PEM and PKCS#12)."))
def pki_issue(
    profile: Annotated[str, typer.Argument(help="server | auth-client | sign | professional-auth | professional-sign")],
    name: Annotated[str, typer.Argument(help=t("Nom commun (CN).", "Common name (CN)."))],
    out: Annotated[Path, typer.Option(help=t("Dossier de sortie.", "Output folder."))] = Path(),
    organisation: Annotated[str, typer.Option("--organisation", help="O")] = "BAC A SABLE",
    struct_id: Annotated[str, typer.Option(help=t("Struct_IdNat (OU).", "Struct_IdNat (OU)."))] = "1480999991",
    password: Annotated[str, typer.Option(help=t("Mot de passe du PKCS#12.", "PKCS#12 password."))] = "passerelle",  # noqa: S107
    fault: Annotated[
        str, typer.Option(help=t("Défaut voulu : expired, revoked, other-ca…", "Wanted fault: expired, revoked…"))
    ] = "",
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.pki import run_issue

    raise typer.Exit(run_issue(data, profile, name, out, organisation, struct_id, password, fault, LANG))


@pki_app.command("revoke", help=t("Révoque un certificat.", "Revoke a certificate."))
def pki_revoke(
    certificate: Annotated[
        str, typer.Argument(help=t("Empreinte, n° de série ou fichier.", "Fingerprint, serial or file."))
    ],
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.pki import run_revoke

    raise typer.Exit(run_revoke(data, certificate, LANG))


@pki_app.command("bundle", help=t("Exporte la chaîne de confiance.", "Export the trust chain."))
def pki_bundle(
    out: Annotated[Path, typer.Option(help=t("Fichier PEM.", "PEM file."))] = Path("igc-test.pem"),
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.pki import run_bundle

    raise typer.Exit(run_bundle(data, out, LANG))


@pki_app.command(
    "doctor", help=t("Explique pourquoi un certificat est refusé.", "Explain why a certificate is refused.")
)
def pki_doctor(
    certificate: Annotated[Path, typer.Argument(help=t("Certificat PEM ou DER.", "PEM or DER certificate."))],
    domain: Annotated[str, typer.Option(help=t("Domaine d'émission.", "Sending domain."))] = "",
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.pki import run_doctor

    raise typer.Exit(run_doctor(data, certificate, domain, LANG))


@actors_app.command("list", help=t("Montre le territoire.", "Show the territory."))
def actors_list(
    kind: Annotated[str, typer.Argument(help="structure | bal | operator | professional | patient")] = "structure",
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.actors import run_list

    raise typer.Exit(run_list(data, kind, LANG))


@actors_app.command("add", help=t("Ajoute un acteur et ses certificats.", "Add an actor and its certificates."))
def actors_add(
    kind: Annotated[str, typer.Argument(help="structure | bal | operator | professional | patient")],
    fields: Annotated[
        list[str] | None,
        typer.Argument(help=t("champ=valeur … (aucun : liste les champs)", "field=value … (none: lists the fields)")),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help=t("Dossier des certificats (DATA/certs).", "Folder of the certificates (DATA/certs).")),
    ] = None,
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.actors import run_add

    raise typer.Exit(run_add(data, kind, fields or (), out, LANG))


@actors_app.command("import", help=t("Importe un fichier YAML ou CSV.", "Import a YAML or CSV file."))
def actors_import(
    file: Annotated[Path, typer.Argument(help=t("Fichier.", "File."))],
    out: Annotated[
        Path | None,
        typer.Option(help=t("Dossier des certificats (DATA/certs).", "Folder of the certificates (DATA/certs).")),
    ] = None,
    data: DataOption = Path("data"),
    lang: LangOption = LANG,
) -> None:
    from adapters.cli.actors import run_import

    raise typer.Exit(run_import(data, file, out, LANG))
