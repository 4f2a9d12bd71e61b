"""The words of a risk report, in English and French; numbers as each language writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Language = Literal["en", "fr"]

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Who could be found in {ref}",
        "rows": "{rows} rows",
        "people": "{rows} rows about {persons} people (the person with most has {most})",
        "alone": "{count} people are alone with their {fields}: whoever knows these of them finds their row.",
        "alike": "Nobody is alone: everybody shares their {fields} with at least {others} other people.",
        "empty": "There is no row, so nobody can be found.",
        "none declared": "No quasi-identifier is declared, so that nothing says what an attacker may know: read the "
        "columns below with care.",
        "rows not people": "The table does not say who a row is about: rows are counted as if each were a person.",
        "hidden": "{count} rows have no value in any of these fields; they form one group.",
        "fewer people": "The smallest group has {rows} rows but only {people} people: rows of one person hide nobody.",
        "groups": "People by the size of their group",
        "groups why": "A group is the people who agree on {fields}. The smaller, the easier to find.",
        "size 1": "alone",
        "size 2": "2 people",
        "size 4": "3 to 4",
        "size 9": "5 to 9",
        "size 19": "10 to 19",
        "size 49": "20 to 49",
        "size 99": "50 to 99",
        "size more": "100 or more",
        "before": "before: the sources as they are",
        "after": "after: the files written",
        "attackers": "Three who might look",
        "prosecutor": "A neighbour, who knows that somebody is in it",
        "prosecutor why": "finds the easiest person {highest} of the time, anybody {mean} on average; {share} of the "
        "people are easier to find than 1 in {one_in}",
        "journalist": "A journalist, who looks for anybody to name",
        "journalist why": "looks in a population of {population}: the easiest person {highest}, {mean} on average",
        "journalist same": "at most as well as the neighbour: no population was given to look in",
        "marketer": "A company, that matches everybody at once",
        "marketer why": "is right about {mean} of the people",
        "prosecutor short": "Neighbour",
        "journalist short": "Journalist",
        "marketer short": "Company, everybody at once",
        "highest": "easiest person",
        "mean": "on average",
        "lead before": "Before protection, {share} of the people were alone with their {fields}.",
        "diversity": "What a group gives away",
        "diversity plain": "{field}: every group has {l} of its values or more, so that knowing somebody's group does "
        "not tell it for certain.",
        "diversity line": "For specialists, {field}: l = {l} of {values} values, entropy l = {entropy}, t = {t} "
        "({distance} distance); the smaller t, the less a group differs from everybody",
        "told": "{count} rows lie in groups that all have the same {field}: placing somebody there tells it",
        "equal": "equal",
        "ordered": "ordered",
        "combinations": "Columns that single people out together",
        "combinations why": "Every combination of one, two or three columns was tried ({tried} of {possible}); those "
        "that leave more than {share} of the people alone are shown, the smallest only.",
        "combinations none": "Every combination of one, two or three columns was tried ({tried} of {possible}); none "
        "leaves more than {share} of the people alone.",
        "combinations more": "{count} more such combinations are not drawn.",
        "undeclared": "Not declared as quasi-identifiers: {fields}. If somebody can know them of a person, declare "
        "them, make them coarser or drop them.",
        "beside": "Declared fields and one more",
        "beside why": "People left alone by {fields} together with one column that is not declared.",
        "left out": "Left out: {fields}. They are pseudonyms, which nobody knows beforehand.",
        "copies": "If two recipients put their copies together",
        "copies why": "{other} was made for another recipient. By {fields} alone, {quasi} of these rows have one like "
        "of their own there; by every column that both have, {all}.",
        "copies no token": "No pseudonym is in both.",
        "copies tokens": "{count} pseudonyms are in both: they were made under the same keys.",
        "copies quasi": "declared fields",
        "copies all": "all columns",
        "copies do": "What either knows of a row that has one like, both then know. Give each recipient only the "
        "columns that it needs.",
        "limits": "People are found by what others know of them; no figure here proves that nobody can be. Groups: "
        "k-anonymity (Sweeney 2002), l-diversity (Machanavajjhala et al. 2007), t-closeness (Li et al. 2007); "
        "chances: El Emam, Guide to the De-Identification of Personal Health Information (2013). No value of any row "
        "is shown.",
        "and": "and",
    },
    "fr": {
        "title": "Qui pourrait être retrouvé dans {ref}",
        "rows": "{rows} lignes",
        "people": "{rows} lignes sur {persons} personnes (celle qui en a le plus en a {most})",
        "alone": "{count} personnes sont seules avec leurs {fields} : qui les connaît d'elles retrouve leur ligne.",
        "alike": "Personne n'est seul : chacun partage ses {fields} avec au moins {others} autres personnes.",
        "empty": "Il n'y a aucune ligne : personne ne peut être retrouvé.",
        "none declared": "Aucun quasi-identifiant n'est déclaré : rien ne dit ce qu'un attaquant peut savoir ; lire "
        "avec attention les colonnes ci-dessous.",
        "rows not people": "La table ne dit pas de qui parle une ligne : on compte les lignes comme autant de "
        "personnes.",
        "hidden": "{count} lignes n'ont aucune valeur dans ces champs ; elles forment un groupe.",
        "fewer people": "Le plus petit groupe a {rows} lignes mais seulement {people} personnes : les lignes d'une "
        "même personne ne cachent personne.",
        "groups": "Les personnes selon la taille de leur groupe",
        "groups why": "Un groupe réunit les personnes qui ont les mêmes {fields}. Plus il est petit, plus elles sont "
        "faciles à retrouver.",
        "size 1": "seules",
        "size 2": "2 personnes",
        "size 4": "3 à 4",
        "size 9": "5 à 9",
        "size 19": "10 à 19",
        "size 49": "20 à 49",
        "size 99": "50 à 99",
        "size more": "100 ou plus",
        "before": "avant : les sources telles quelles",
        "after": "après : les fichiers écrits",
        "attackers": "Trois curieux",
        "prosecutor": "Un voisin, qui sait que quelqu'un y figure",
        "prosecutor why": "retrouve la personne la plus exposée {highest} du temps, une personne quelconque {mean} en "
        "moyenne ; {share} des personnes sont plus faciles à retrouver qu'une fois sur {one_in}",
        "journalist": "Un journaliste, qui cherche n'importe qui à nommer",
        "journalist why": "cherche dans une population de {population} : la personne la plus exposée {highest}, {mean} "
        "en moyenne",
        "journalist same": "au plus aussi bien que le voisin : aucune population n'a été donnée où chercher",
        "marketer": "Une entreprise, qui rapproche tout le monde à la fois",
        "marketer why": "ne se trompe pas pour {mean} des personnes",
        "prosecutor short": "Voisin",
        "journalist short": "Journaliste",
        "marketer short": "Entreprise, tout le monde à la fois",
        "highest": "personne la plus exposée",
        "mean": "en moyenne",
        "lead before": "Avant protection, {share} des personnes étaient seules avec leurs {fields}.",
        "diversity": "Ce que dit un groupe",
        "diversity plain": "{field} : chaque groupe en compte {l} valeurs ou plus ; connaître le groupe de quelqu'un "
        "ne suffit donc pas à l'apprendre.",
        "diversity line": "Pour les spécialistes, {field} : l = {l} de {values} valeurs, l d'entropie = {entropy}, "
        "t = {t} (distance {distance}) ; plus t est petit, moins un groupe diffère de l'ensemble",
        "told": "{count} lignes sont dans des groupes où {field} est partout identique : y placer quelqu'un suffit à "
        "l'apprendre",
        "equal": "égale",
        "ordered": "ordonnée",
        "combinations": "Les colonnes qui, ensemble, isolent des personnes",
        "combinations why": "Toutes les combinaisons d'une, deux ou trois colonnes ont été essayées ({tried} sur "
        "{possible}) ; voici celles qui laissent seules plus de {share} des personnes, les plus petites seulement.",
        "combinations none": "Toutes les combinaisons d'une, deux ou trois colonnes ont été essayées ({tried} sur "
        "{possible}) ; aucune ne laisse seules plus de {share} des personnes.",
        "combinations more": "{count} autres combinaisons semblables ne sont pas dessinées.",
        "undeclared": "Non déclarées comme quasi-identifiants : {fields}. Si quelqu'un peut les connaître d'une "
        "personne, les déclarer, les rendre plus grossières ou les écarter.",
        "beside": "Les champs déclarés et un de plus",
        "beside why": "Personnes que {fields} et une colonne non déclarée laissent seules.",
        "left out": "Laissées de côté : {fields}. Ce sont des pseudonymes, que personne ne connaît d'avance.",
        "copies": "Si deux destinataires réunissent leurs copies",
        "copies why": "{other} a été fait pour un autre destinataire. Par {fields} seuls, {quasi} de ces lignes y ont "
        "une seule semblable ; par toutes les colonnes communes, {all}.",
        "copies no token": "Aucun pseudonyme n'est dans les deux.",
        "copies tokens": "{count} pseudonymes sont dans les deux : ils viennent des mêmes clés.",
        "copies quasi": "champs déclarés",
        "copies all": "toutes les colonnes",
        "copies do": "Ce que l'un sait d'une ligne qui n'a qu'une semblable, les deux le savent alors. Ne donner à "
        "chacun que les colonnes dont il a besoin.",
        "limits": "On retrouve les gens par ce qu'on sait d'eux ; aucun chiffre ici ne prouve que personne ne peut "
        "l'être. Groupes : k-anonymat (Sweeney 2002), l-diversité (Machanavajjhala et al. 2007), t-proximité (Li et "
        "al. 2007) ; chances : El Emam, Guide to the De-Identification of Personal Health Information (2013). Aucune "
        "valeur d'aucune ligne n'est montrée.",
        "and": "et",
    },
}
_NARROW = "\u202f"


def number(value: int, language: Language) -> str:
    """Digits in groups of three."""
    return f"{value:,}" if language == "en" else f"{value:,}".replace(",", _NARROW)


def decimal(value: float, language: Language, *, digits: int = 2) -> str:
    """A number with a few decimals."""
    text = f"{value:.{digits}f}"
    return text if language == "en" else text.replace(".", ",")


def percent(share: float, language: Language) -> str:
    """A share as per cent; what is not zero is never written as zero, what is not all never as all."""
    value = share * 100
    if 0 < value < 0.1:
        text = "<0.1"
    elif 99.9 < value < 100:
        text = ">99.9"
    else:
        text = f"{value:.0f}" if 10 <= value < 99.5 or value == round(value) else f"{value:.1f}"
    return f"{text}%" if language == "en" else f"{text.replace('.', ',')}{_NARROW}%"


def percent_in_words(share: float, language: Language) -> str:
    """As `percent`, for the middle of a sentence: without signs of comparison."""
    less, more = ("less than ", "more than ") if language == "en" else ("moins de ", "plus de ")
    return percent(share, language).replace("<", less).replace(">", more)


def listed(names: Sequence[str], language: Language) -> str:
    """Names as a list in a sentence."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {WORDS[language]['and']} {names[-1]}"


__all__ = ["WORDS", "Language", "decimal", "listed", "number", "percent", "percent_in_words"]
