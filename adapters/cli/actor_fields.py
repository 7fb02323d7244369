"""What may be said of each kind of actor, with an example that can be typed as it is. `*`: needed."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.values import Text


@dataclass(frozen=True, slots=True)
class Field:
    """One `name=example` of `actors add`."""

    name: str
    example: str
    what: Text
    needed: bool = False


FIELDS: dict[str, tuple[Field, ...]] = {
    "structure": (
        Field("name", "EHPAD des Essais", Text("nom", "name"), needed=True),
        Field("category", "EHPAD", Text("EHPAD, SSIAD, IME, CH, MDPH…", "EHPAD, SSIAD, IME, CH, MDPH…"), needed=True),
        Field(
            "finess",
            "auto",
            Text("n° FINESS, ou auto : un numéro fictif", "FINESS, or auto: a fictitious one"),
            needed=True,
        ),
        Field("domain", "ehpad-essais.val-de-brume.mssante.fr", Text("domaine MSSanté", "MSSanté domain")),
        Field("key", "ehpad-des-essais", Text("clé ; tirée du nom sinon", "key; else taken from the name")),
        Field("city", "Brumeval", Text("ville", "city")),
        Field("postal_code", "48901", Text("code postal", "postal code")),
    ),
    "bal": (
        Field("address", "essai@ehpad-les-tilleuls.val-de-brume.mssante.fr", Text("adresse", "address"), needed=True),
        Field("kind", "ORG", Text("ORG, PER ou APP", "ORG, PER or APP"), needed=True),
        Field("holder", "ehpad-les-tilleuls", Text("clé du titulaire", "key of the holder"), needed=True),
        Field("password", "essai", Text("mot de passe applicatif", "application password")),
        Field("service", "Soins", Text("service", "service")),
        Field("operator", "op-brume", Text("opérateur ; celui du domaine sinon", "operator; else the domain's")),
        Field("red_list", "false", Text("liste rouge", "red list")),
    ),
    "operator": (
        Field("name", "Mon operateur", Text("nom", "name"), needed=True),
        Field(
            "domains", "mon-domaine.mssante.fr", Text("domaines, séparés par |", "domains, separated by |"), needed=True
        ),
        Field("address", "127.0.0.1:2600", Text("où votre serveur écoute", "where your server listens"), needed=True),
    ),
    "professional": (
        Field("family", "ESSAI", Text("nom d'exercice", "name"), needed=True),
        Field("given", "ANNE", Text("prénom", "given name"), needed=True),
        Field(
            "rpps", "auto", Text("n° RPPS, ou auto : un numéro fictif", "RPPS, or auto: a fictitious one"), needed=True
        ),
        Field(
            "profession",
            "10",
            Text("code G15 : 10 médecin, 60 infirmier…", "G15 code: 10 doctor, 60 nurse…"),
            needed=True,
        ),
        Field("structures", "ehpad-les-tilleuls", Text("clés des structures", "keys of structures")),
    ),
    "patient": (
        Field("family", "ESSAI", Text("nom de naissance", "birth name"), needed=True),
        Field("given", "LEA", Text("premier prénom", "first given name"), needed=True),
        Field("sex", "F", Text("M ou F", "M or F"), needed=True),
        Field("birth_date", "1990-01-02", Text("AAAA-MM-JJ", "YYYY-MM-DD"), needed=True),
        Field("birth_place", "48901", Text("COG : communes fictives 48901-48930", "COG: fictitious 48901-48930")),
        Field("matricule", "auto", Text("INS, ou auto : née au territoire", "INS, or auto: born in the territory")),
        Field("status", "QUAL", Text("PROV, RECUP, VALI ou QUAL", "PROV, RECUP, VALI or QUAL")),
    ),
}
