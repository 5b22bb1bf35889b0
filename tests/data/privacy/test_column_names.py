from __future__ import annotations

import pytest

from gleis.data.privacy.column_names import kinds_of_name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("customerEmail", "email"),
        ("e_mail", "email"),
        ("Mobilnummer Handy", "phone"),
        ("Telefon2", "phone"),
        ("Date_of_birth", "birth_date"),
        ("geburts_datum", "birth_date"),
        ("date de naissance", "birth_date"),
        ("Straße", "address"),
        ("código postal", "address"),
        ("IP", "ipv4"),
        ("prénom", "person"),
        ("LastName", "person"),
        ("Religion", "special"),
        ("marital-status", "characteristic"),
    ],
)
def test_speaks_of_people(name, kind):
    assert kind in kinds_of_name(name)


@pytest.mark.parametrize(
    "name", ["hotel", "percentile", "trip", "island", "price", "mailbox_size", "x_1", "emails_"]
)
def test_a_word_within_a_word_is_none(name):
    assert kinds_of_name(name) == ()
