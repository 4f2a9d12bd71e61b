"""Names of columns that look personal, so that nobody forgets to say what kind of identifier they are.

A heuristic on column names only, in French and English, with the usual words of German, Dutch, Spanish, Portuguese and
Italian: it asks a question, it never answers it. A field caught here must state its `identifier` kind; stating `none`
for one that looks direct needs a `because`.
"""

from __future__ import annotations

import re
import unicodedata

_DIRECT = {
    "nir", "insee_number", "nom", "noms", "prenom", "prenoms", "name", "names", "surname", "firstname", "lastname",
    "forename", "given", "patronyme", "tel", "telephone", "phone", "mobile", "portable", "gsm", "fax", "courriel",
    "email", "mail", "mel", "adresse", "address", "adr", "street", "rue", "voie", "iban", "rib", "bic", "plaque",
    "plate", "immatriculation", "immat", "vin", "permis", "licence", "license", "passeport", "passport", "cni", "ssn",
    "nationalid", "siret_perso", "login", "matricule", "nigend", "ip", "imei", "imsi", "mac", "badge", "titulaire",
    "proprietaire", "signature", "photo",
    # German, Dutch
    "vorname", "nachname", "familienname", "telefon", "telefonnummer", "handy", "handynummer", "anschrift", "strasse",
    "strae", "kennzeichen", "fuhrerschein", "fuehrerschein", "ausweis", "personalausweis", "ausweisnummer", "reisepass",
    "steuernummer", "steuerid", "versicherungsnummer", "naam", "voornaam", "achternaam", "telefoon", "straat",
    "kenteken", "bsn", "rijbewijs", "paspoort",
    # Spanish, Portuguese, Italian
    "nombre", "nombres", "apellido", "apellidos", "dni", "nie", "nif", "telefono", "movil", "correo", "direccion",
    "calle", "matricula", "pasaporte", "bastidor", "nome", "apelido", "sobrenome", "telefone", "telemovel", "morada",
    "endereco", "rua", "contribuinte", "cpf", "passaporte", "cognome", "indirizzo", "targa", "codicefiscale",
    "cellulare", "passaporto", "patente",
}  # fmt: skip
_QUASI = {
    "naissance", "birth", "dob", "ddn", "age", "sexe", "sex", "gender", "genre", "commune", "codepostal", "postcode",
    "zip", "zipcode", "cp", "lat", "latitude", "lon", "long", "longitude", "gps", "nationalite", "nationality",
    "profession", "occupation", "race", "ethnicity", "religion", "marital", "residence", "domicile",
    # German, Dutch
    "geburt", "geburtsdatum", "geburtstag", "geschlecht", "plz", "postleitzahl", "wohnort", "beruf", "gemeinde",
    "staatsangehorigkeit", "staatsangehoerigkeit", "geboorte", "geboortedatum", "leeftijd", "geslacht", "beroep",
    "nationaliteit", "woonplaats",
    # Spanish, Portuguese, Italian
    "nacimiento", "edad", "sexo", "genero", "municipio", "codigopostal", "nacionalidad", "profesion", "nascimento",
    "idade", "concelho", "nacionalidade", "profissao", "nascita", "sesso", "comune", "cittadinanza", "nazionalita",
    "professione",
}  # fmt: skip


def looks_personal(name: str) -> str | None:
    """`direct`, `quasi` or None, from a column's name alone (case, accents and separators do not matter)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = set(re.split(r"[^a-z0-9]+", plain)) | {re.sub(r"[^a-z]+", "", plain)}
    camel = {part.lower() for part in re.findall(r"[A-Z]?[a-z]+", name)}
    if words & _DIRECT or camel & _DIRECT:
        return "direct"
    return "quasi" if words & _QUASI or camel & _QUASI else None
