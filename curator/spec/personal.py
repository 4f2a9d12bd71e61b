"""Names of columns that look personal, so that nobody forgets to say what kind of identifier they are.

A heuristic on column names only, in French and English, with the usual words of other languages of Europe, and of
Turkish, Arabic, Chinese and Japanese: it asks a question, it never answers it. A field caught here must state its
`identifier` kind; stating `none` for one that looks direct needs a `because`.
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
    # the United Kingdom, the North, Poland, Czechia, Hungary, Romania, Turkey
    "nino", "ninumber", "nhs", "nhsnumber", "numberplate", "personnummer", "fodselsnummer", "cprnummer",
    "fdselsnummer", "henkilotunnus",
    "fornavn", "fornamn", "efternavn", "efternamn", "etternavn", "etunimi", "sukunimi", "adresa", "adres", "osoite",
    "imie", "imiona", "nazwisko", "pesel", "ulica", "telefonu", "jmeno", "prijmeni", "rodnecislo", "vezeteknev",
    "keresztnev", "prenume", "cnp", "soyad", "soyadi", "tckimlik", "tckn", "kimlik", "plaka", "adresi",
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
    # the North, Poland, Czechia, Hungary, Romania, Turkey
    "fodselsdato", "fodelsedatum", "syntymaaika", "fdselsdato", "kjonn", "sukupuoli", "postnummer", "dataurodzenia",
    "urodzenia", "wiek", "plec", "pec", "kodpocztowy", "narozeni", "pohlavi", "szuletesi", "eletkor", "varsta",
    "cinsiyet", "dogumtarihi", "dogum",
}  # fmt: skip
# Other scripts, by whole words; Chinese and Japanese have no space between words, so theirs are looked for anywhere.
_DIRECT_ELSEWHERE = {
    "имя", "фамилия", "отчество", "фио", "паспорт", "телефон", "адрес", "снилс", "инн", "прізвище", "ονομα",
    "επωνυμο", "ονοματεπωνυμο", "αφμ", "αμκα", "διευθυνση", "τηλεφωνο", "πινακιδα", "اسم", "الاسم", "هاتف",
    "الهاتف", "عنوان", "العنوان", "جواز",
}  # fmt: skip
_QUASI_ELSEWHERE = {
    "возраст", "пол", "рождения", "индекс", "гражданство", "ηλικια", "φυλο", "γεννηση", "γεννησης", "العمر",
    "الجنس", "الميلاد",
}  # fmt: skip
_DIRECT_ANYWHERE = {
    "氏名", "姓名", "名前", "名字", "電話", "电话", "住所", "地址", "身份证", "マイナンバー", "免許",
    "護照", "护照", "車牌", "车牌",
}  # fmt: skip
_QUASI_ANYWHERE = {
    "生年月日", "出生", "性別", "性别", "年齢", "年龄", "年齡", "郵便番号", "邮编", "国籍", "國籍",
}  # fmt: skip


def looks_personal(name: str) -> str | None:
    """`direct`, `quasi` or None, from a column's name alone (case, accents and separators do not matter)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    kind = _elsewhere(name)
    if kind is not None:
        return kind
    words = set(re.split(r"[^a-z0-9]+", plain)) | {re.sub(r"[^a-z]+", "", plain)}
    camel = {part.lower() for part in re.findall(r"[A-Z]?[a-z]+", name)}
    if words & _DIRECT or camel & _DIRECT:
        return "direct"
    return "quasi" if words & _QUASI or camel & _QUASI else None


def _elsewhere(name: str) -> str | None:
    """The same for names that are not in Latin letters."""
    if name.isascii():
        return None
    plain = _bare(name)
    joined = re.sub(r"[\W\d_]+", "", plain)
    words = {*re.split(r"[\W\d_]+", plain), joined}
    if words & {_bare(word) for word in _DIRECT_ELSEWHERE} or any(_bare(word) in joined for word in _DIRECT_ANYWHERE):
        return "direct"
    if words & {_bare(word) for word in _QUASI_ELSEWHERE} or any(_bare(word) in joined for word in _QUASI_ANYWHERE):
        return "quasi"
    return None


def _bare(text: str) -> str:
    """Letters without accents, in one case."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(mark))
