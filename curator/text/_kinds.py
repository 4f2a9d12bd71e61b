"""What free text may betray: the kinds of mention, the word that replaces each, and which of two claims wins."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A kind of mention; the value is the word that specs and evaluations use."""

    person = "person"
    nir = "nir"
    plate = "plate"
    phone = "phone"
    email = "email"
    iban = "iban"
    date = "date"
    address = "address"
    licence = "licence"
    vin = "vin"
    siren = "siren"
    siret = "siret"
    agent = "agent"
    account = "account"
    url = "url"
    ip = "ip"
    coordinates = "coordinates"
    amount = "amount"
    number = "number"
    place = "place"
    organisation = "organisation"
    other = "other"


LABELS: dict[Kind, str] = {
    Kind.person: "PERSONNE",
    Kind.nir: "NIR",
    Kind.plate: "PLAQUE",
    Kind.phone: "TELEPHONE",
    Kind.email: "COURRIEL",
    Kind.iban: "IBAN",
    Kind.date: "DATE",
    Kind.address: "ADRESSE",
    Kind.licence: "PERMIS",
    Kind.vin: "VIN",
    Kind.siren: "SIREN",
    Kind.siret: "SIRET",
    Kind.agent: "MATRICULE",
    Kind.account: "COMPTE",
    Kind.url: "URL",
    Kind.ip: "IP",
    Kind.coordinates: "POSITION",
    Kind.amount: "MONTANT",
    Kind.number: "NUMERO",
    Kind.place: "LIEU",
    Kind.organisation: "ORGANISATION",
    Kind.other: "MENTION",
}
"""The first half of each surrogate: PERSONNE_1."""

# Earlier wins the name of a place that several claim; the place itself is always the union.
PRECEDENCE: dict[Kind, int] = {
    kind: rank
    for rank, kind in enumerate(
        (
            Kind.email, Kind.iban, Kind.nir, Kind.phone, Kind.plate, Kind.siret, Kind.siren, Kind.vin, Kind.licence,
            Kind.agent, Kind.account, Kind.url, Kind.ip, Kind.coordinates, Kind.date, Kind.address, Kind.amount,
            Kind.person, Kind.number, Kind.place, Kind.organisation, Kind.other,
        )
    )
}  # fmt: skip
