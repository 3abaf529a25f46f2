"""Invented parties: suppliers, their successors and the enti, with valid Italian identifiers.

Every name, VAT number and fiscal code here is made up; check digits are right so that the identifiers
pass where a validator looks. No document is made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_SURNAME_LIST = (
    "Rossi,Ferrari,Esposito,Bianchi,Romano,Colombo,Ricci,Marino,Greco,Bruno,Gallo,Conti,De Luca,Costa,"
    "Mancini,Rizzo,Lombardi,Moretti,Barbieri,Fontana,Santoro,Mariani,Rinaldi,Caruso,Ferrara,Galli,Martini,"
    "Longo,Gentile,Martinelli,Vitale,Serra,Coppola,Nicolò,Bellò,Dal Prà,Zanella,Pellegrini,Palumbo,Sanna"
)
_NAME_LIST = "Mario,Giulia,Paolo,Chiara,Luca,Francesca,Andrea,Elena,Marco,Sara,Niccolò,Anna,Davide,Laura"
_TRADE_LIST = (
    "Costruzioni,Impianti,Servizi,Forniture,Ristorazione,Pulizie,Energia,Informatica,Trasporti,Manutenzioni,"
    "Arredi,Sanità,Verde,Segnaletica,Tipografia,Vigilanza,Ambiente,Multiservizi,Cooperativa Sociale,Edilizia"
)
_PLACE_LIST = "Lombarda,Adriatica,Tirrena,Padana,Appenninica,Ligure,Salentina,Etrusca,Alpina,Picena,Sabina"
_SURNAMES, _NAMES, _TRADES, _PLACES = (
    tuple(names.split(",")) for names in (_SURNAME_LIST, _NAME_LIST, _TRADE_LIST, _PLACE_LIST)
)
_FORMS = ("S.r.l.", "S.p.A.", "S.n.c.", "Soc. Coop.", "S.a.s.", "S.r.l. unipersonale")
_MONTHS = "ABCDEHLMPRST"
_ODD_VALUES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
#: What a character counts in an odd place of a fiscal code: a digit as the letter of the same rank.
_ODD = {
    **dict(zip("0123456789", _ODD_VALUES, strict=False)),
    **dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _ODD_VALUES, strict=True)),
}


@dataclass(frozen=True)
class Party:
    """A supplier: name, VAT number, fiscal code (equal for a company, personal for a professional)."""

    name: str
    piva: str
    cf: str
    professional: bool


def vat_number(company: int) -> str:
    """The 11-digit VAT number of a 7-digit company number: province office and check digit added.

    The check digit is Luhn's (DPR 633/1972 art. 35); the office is one of 001…100, told from the number.
    """
    return _checked(f"{company:07d}{company % 97 + 1:03d}")


def provisional_code(piva: str) -> str:
    """A person's provisional fiscal code, told from a VAT number: eleven digits, of an office that no VAT number has."""
    return _checked(f"{piva[:7]}{int(piva[7:10]) + 150:03d}")


def _checked(digits: str) -> str:
    odd = sum(int(d) for d in digits[0::2])
    even = sum(sum(divmod(2 * int(d), 10)) for d in digits[1::2])
    return digits + str(-(odd + even) % 10)


def fiscal_code(surname: str, name: str, random: Random) -> str:
    """A 16-character fiscal code for an invented person, with its check character (DM 23/12/1976)."""

    def three(text: str) -> str:
        plain = text.upper().replace("À", "A").replace("Ò", "O")
        letters = [c for c in plain if c.isalpha()]
        vowels = [c for c in letters if c in "AEIOU"]
        return ("".join(c for c in letters if c not in vowels) + "".join(vowels) + "XXX")[:3]

    day = random.randint(1, 28) + random.choice((0, 40))
    body = f"{three(surname)}{three(name)}{random.randint(40, 99)}{random.choice(_MONTHS)}{day:02d}"
    body += f"{random.choice('ABCDEFGHIL')}{random.randint(100, 999)}"
    even = {**{str(n): n for n in range(10)}, **{chr(65 + n): n for n in range(26)}}
    total = sum(_ODD[c] if n % 2 == 0 else even[c] for n, c in enumerate(body))
    return body + chr(65 + total % 26)


def parties(count: int, seed: int, *, first: int) -> list[Party]:
    """`count` suppliers, one in eight a professional; `first` keeps two pools' VAT numbers apart."""
    random = Random(f"{seed}/{first}")
    made = []
    for n in range(count):
        # A fixed stride, not a random draw: VAT numbers never repeat within or between pools.
        piva = vat_number((first + n) * 7_368_787 % 7_900_000 + 50_000)
        surname = random.choice(_SURNAMES)
        if n % 8 == 7:
            name = random.choice(_NAMES)
            made.append(Party(f"{surname} {name}", piva, fiscal_code(surname, name, random), True))
        else:
            words = random.choice((surname, f"Fratelli {surname}", random.choice(_PLACES)))
            made.append(Party(f"{random.choice(_TRADES)} {words} {random.choice(_FORMS)}", piva, piva, False))
    return made


@dataclass(frozen=True)
class Ente:
    """One ente of the provider: tenant code, name, kind, accounting system, and how it writes its files."""

    code: str
    name: str
    tipo: str
    gestionale: str
    dialect: str
    cf: str
    ipa: str
    office: str


_ENTI = (
    ("montefiore", "Comune di Montefiore sul Lario", "COMUNE", "Contabilità Civica", "iso"),
    ("valdossola", "Provincia di Valdossola", "PROVINCIA", "Finanza Enti", "italian"),
    ("asl_terreadda", "ASL Terre d'Adda", "SANITARIO", "Sanità Bilancio", "tab"),
    ("borgosandonato", "Comune di Borgo San Donato", "COMUNE", "Contabilità Civica", "xlsx"),
    ("valserena", "Unione dei Comuni della Val Serena", "UNIONE", "Libro Mastro PA", "comma"),
)


def enti(count: int, seed: int) -> list[Ente]:
    """`count` enti: the five named ones first, then numbered Comuni, each writing files its own way."""
    made = []
    for n in range(count):
        code, name, tipo, gestionale, dialect = _ENTI[n % len(_ENTI)]
        if n >= len(_ENTI):
            code, name, tipo = f"comune_{n + 1:04d}", f"Comune di Villa Nuova {n + 1}", "COMUNE"
        cf = vat_number(8_000_000 + (seed * 131 + n) * 9_973 % 1_000_000)
        made.append(Ente(code, name, tipo, gestionale, dialect, cf, f"c_{n + 1:04x}", f"UF{n + 1:04X}"))
    return made
