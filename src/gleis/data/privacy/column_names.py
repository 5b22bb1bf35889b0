"""What the name of a column says of its values: in English, German, French and Spanish."""

from __future__ import annotations

import re
import unicodedata

_WORDS = {
    "email": "email mail emailaddress mailadresse courriel correo",
    "phone": "phone telephone tel telefon telefonnummer mobile mobil handy handynummer fax "
    "telefono movil portable",
    "iban": "iban bic kontonummer bankaccount",
    "card": "creditcard cardnumber kreditkarte kartennummer pan cartebancaire tarjeta",
    "steuer_id": "steuerid steuernummer idnr steueridentifikationsnummer taxid tin",
    "ssn": "ssn socialsecurity socialsecuritynumber sozialversicherungsnummer svnr",
    "nino": "nino nationalinsurance",
    "nir": "nir numerosecu securitesociale",
    "nif": "nif dni nie",
    "codice_fiscale": "codicefiscale",
    "pesel": "pesel",
    "ipv4": "ip ipaddress ipadresse clientip remoteaddr ipv4 adresseip",
    "ipv6": "ipv6",
    "coordinates": "lat lon lng latitude longitude breitengrad laengengrad latitud longitud",
    "birth_date": "birth birthdate birthday dob dateofbirth geburtsdatum geburtstag gebdatum "
    "datenaissance naissance fechanacimiento nacimiento",
    "person": "firstname lastname surname fullname forename givenname familyname customername "
    "vorname nachname familienname prenom nomfamille nombrecompleto apellido apellidos",
    "address": "address street streetaddress postcode zipcode adresse strasse hausnummer plz "
    "postleitzahl wohnort rue codepostal direccion calle codigopostal",
    "document": "passport passportnumber reisepass ausweis ausweisnummer personalausweis "
    "pasaporte passeport driverslicense fuehrerschein",
    "special": "race ethnicity ethnie religion konfession gewerkschaft union diagnosis diagnose "
    "disability behinderung sexualorientation health krankheit raza origineethnique",
    "characteristic": "sex gender geschlecht married maritalstatus familienstand nationality "
    "staatsangehoerigkeit sexe genre etatcivil sexo genero estadocivil",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})

TITLES = {
    "birth_date": "date of birth",
    "person": "name of a person",
    "address": "postal address",
    "document": "identity document",
    "special": "special category (Art. 9 GDPR)",
    "characteristic": "characteristic of a person",
}
"""What the kinds are called that no form or check shows."""


def kinds_of_name(name: str) -> tuple[str, ...]:
    """Return the kinds of personal data that a column's name speaks of.

    Words are compared, two or three together too, whatever joins them: ``Date_of_birth``,
    ``dateOfBirth``. A word within a word is none: ``percentile`` has no ``tel``.

    Examples
    --------
    >>> kinds_of_name("customerEmail"), kinds_of_name("Geburtsdatum"), kinds_of_name("hotel")
    (('email',), ('birth_date',), ())
    """
    words = _words(name)
    runs = {
        "".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + 3, len(words)) + 1)
    }
    return tuple(kind for kind in _WORDS if any(_KINDS.get(run) == kind for run in runs))


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])", " ", name).lower().translate(_UMLAUTS)
    plain = unicodedata.normalize("NFKD", apart)
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return [word for word in re.split(r"[^a-z0-9]+|(?<=[a-z])(?=\d+$)", letters) if word]
