"""Persons, without a model: by titles, roles, known names, capitals, initials, tables and signatures.

The text is cut into words once; every rule looks at a word and its neighbours, so time grows with the length alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from curator.text._cut import TIGHT, Cut, Word
from curator.text._dates import slips
from curator.text._hints import find_of_age, find_of_elsewhere, is_half
from curator.text._kinds import Kind
from curator.text._layout import find_in_tables, find_other_scripts, find_signatures
from curator.text._lists import listed
from curator.text._spans import Span
from curator.text._words import (
    AMBIGUOUS_FIRST,
    COMMON,
    COURTESIES,
    FIRST,
    LABELS_OF_NAMES,
    LAST,
    LAST_PARTS,
    LISTS,
    PARTICLES,
    ROLES,
    TITLES,
    TOWNS,
    WEAK_ROLES,
    is_common,
)

_HEADERS = frozenset(("DE", "A", "CC", "CCI", "FROM", "TO"))
_BETWEEN = frozenset(
    listed("""
LE LA DES LOGIS CHEF PAIX DE GENERAL PRINCIPAL MARITAL NAISSANCE USAGE D' EN CAUSE JEUNE FAMILLE ENQUETEUR EPOUSE NEE DU
INDIVIDU JUGE
""")
)
_LONGEST_NAME = 6
_BODIES = frozenset(
    listed("""
VILLE MAIRIE GARE SOCIETE COMMUNE POLICE GENDARMERIE BRIGADE COMPAGNIE REGION DIRECTION PREFECTURE SECTION UNITE AGENCE
REPUBLIQUE COUR MAISON BANQUE POSTE CAISSE
""")
)
_ARTICLES = frozenset(("LE", "LA", "L'", "LES", "DES"))
_BEFORE_SMALL = COURTESIES | frozenset(
    listed("NOMME NOMMEE DENOMME DENOMMEE PRENOMME PRENOMMEE SUSNOMME SURNOMME ALIAS")
)
_ABBREVIATED = frozenset(listed("M MR MME MLLE NOMME NOMMEE SIEUR DENOMME DENOMMEE"))
_SHORT_TITLES = frozenset(("Me", "Ms", "Herr"))  # written so: otherwise a word, or a name


class PersonFinder:
    """Finds the persons of one text."""

    def __init__(self, cut: Cut) -> None:
        """Take a text cut into words."""
        self._cut = cut
        self._found: list[tuple[int, int]] = []  # first and last word, the last excluded

    def find(self) -> Iterator[Span]:
        """Every person."""
        for index, word in enumerate(self._cut.words):
            self._at(index, word)
        self._found += find_of_elsewhere(self._cut)
        self._found += find_of_age(self._cut)
        self._found += find_in_tables(self._cut)
        self._found += find_other_scripts(self._cut)
        self._found += [(self._with_particles(first), last) for first, last in find_signatures(self._cut)]
        for first, last in self._found:
            yield self._span(first, last)

    def _span(self, first: int, last: int) -> Span:
        end = self._cut.words[last - 1].end
        if self._cut.words[last - 1].shape == "I" and self._cut.plain[end : end + 1] == ".":
            end += 1
        return Span(self._cut.words[first].start, end, Kind.person)

    # ---- one word and its neighbours ------------------------------------------------------------------------------

    def _at(self, index: int, word: Word) -> None:
        upper = word.upper
        if upper in TITLES or (len(upper) > 6 and upper in _MISSPELT_TITLES):
            if (upper != "ME" or word.text == "Me") and not (upper == "M" and self._is_elided(word)):
                self._after(index, strong=True)
        elif (
            word.text in _SHORT_TITLES and not word.bare and not (index and self._cut.words[index - 1].upper in TITLES)
        ):
            self._after(index, strong=True)
        elif upper in ROLES or upper in LABELS_OF_NAMES:
            label = self._cut.plain[word.end : word.end + 3].lstrip(" ").startswith(
                (":", "=")
            ) or self._cut.plain.startswith("(s)", word.end)
            known = upper in ("NOM", "PRENOM", "PRENOMS") and word.shape != "l"
            self._after(index, strong=label or known or (word.bare and upper in ROLES and upper not in WEAK_ROLES))
            if not label:
                self._after_label(index)
        elif upper in _HEADERS and self._cut.plain[word.end : word.end + 2].lstrip(" ").startswith(":"):
            self._after(index, strong=True)
        if upper in FIRST:
            self._around_first_name(index, word)
        elif word.shape == "I":
            self._around_initial(index)
        elif word.shape == "U" and not word.bare:
            self._capitals(index, word)
        if upper in LAST:
            self._family_name(index, word)

    def _is_elided(self, word: Word) -> bool:
        """Whether M is the pronoun: il m'a vu."""
        return self._cut.plain[word.end : word.end + 2].lstrip(" ").startswith("'")

    def _after(self, index: int, *, strong: bool) -> None:
        """The name that follows a title or a role."""
        words = self._cut.words
        for place in range(index + 1, min(index + 7, len(words))):
            word, gap = words[place], self._cut.gap(place)
            if not _leads_on(gap, strong=strong) or (word.upper in TITLES and place > index + 1):
                return
            if word.upper in TITLES:
                return
            if word.shape == "l" and not word.bare and not self._may_follow(index, place):
                return
            skipped = word.upper in _BETWEEN or (word.upper in ("S", "E") and "(" in gap)
            if not skipped or (word.upper in PARTICLES and self._is_name_particle(place)):
                last = self._walk(place, strong=strong)
                if last == place and self._is_called(index, place):
                    last = max(place + 1, self._walk(place + 1, strong=False))
                if last > place and (strong or any(one.shape != "I" for one in words[place:last])):
                    self._found.append((place, last))
                    if words[index].upper in LISTS:
                        self._listed(last)
                return

    def _may_follow(self, index: int, place: int) -> bool:
        """Whether a word in small letters may belong to a name after a title or role, in a line that uses case."""
        title, word, gap = self._cut.words[index], self._cut.words[place], self._cut.gap(place)
        if title.upper in WEAK_ROLES and word.upper in _ARTICLES:
            return False  # par les uns
        if title.upper not in TITLES or word.upper in _BETWEEN or word.upper in PARTICLES or word.upper in LAST_PARTS:
            return True
        if word.upper in FIRST:
            return True
        dotted = title.upper != "M" or gap.startswith(".")
        return title.upper in _BEFORE_SMALL and dotted and "," not in gap

    def _is_called(self, index: int, place: int) -> bool:
        """Whether a common word is a name here: right after M. or Mme, with a capital (M. Durant)."""
        title, word = self._cut.words[index], self._cut.words[place]
        return (
            place == index + 1
            and title.upper in _ABBREVIATED
            and self._cut.gap(place) in (" ", ". ", ".")
            and word.shape in "CU"
            and not word.bare
            and len(word.upper) > 2
            and word.upper not in ROLES
            and word.upper not in TITLES
            and word.upper not in LABELS_OF_NAMES
        )

    def _after_label(self, index: int) -> None:
        """The name after a label of several words: `passager arriere droit : ...`."""
        words = self._cut.words
        for place in range(index + 1, min(index + 4, len(words))):
            if words[place].shape != "l" or self._cut.gap(place) != " ":
                return
            if self._cut.plain[words[place].end : words[place].end + 2].lstrip(" ").startswith(":"):
                self._after(place, strong=True)
                return

    def _listed(self, place: int) -> None:
        """The other names of a list that a word announced: `Présents : ...`."""
        while place < len(self._cut.words) and self._cut.gap(place) in (", ", ",", " ; ", "; ", " / ", " - ", " "):
            if self._cut.words[place].upper == "ET":
                place += 1
                continue
            last = self._walk(place, strong=True)
            if last == place:
                return
            self._found.append((place, last))
            place = last

    def _is_name_particle(self, place: int) -> bool:
        """Whether a small word begins a name: written with a capital, or before a word with one."""
        start = place
        last = min(place + _LONGEST_NAME, len(self._cut.words) - 1)
        while place < last and self._cut.words[place].upper in PARTICLES:
            place += 1
        following = self._cut.words[place]
        if (
            place > start + 1
            and self._cut.words[place - 1].shape == "C"
            and following.shape in "CU"
            and not following.bare
        ):
            return True  # de La Tour
        return not is_common(following.upper) and (
            following.shape != "l" or following.bare or following.upper in LAST_PARTS
        )

    def _walk(self, place: int, *, strong: bool) -> int:
        """Where the name that begins at a word ends."""
        last, names, start = place, 0, place
        while place < len(self._cut.words) and names < _LONGEST_NAME:
            word = self._cut.words[place]
            if place > start and not self._cut.joined(place) and not (strong and names == 1 and self._inverted(place)):
                break
            if word.upper in PARTICLES and self._is_small(place, names=names):
                if place - last > 3:
                    break
                place += 1
                continue
            if not (self._is_name(word, first=names == 0, strong=strong) or self._is_estate(place)):
                break
            names += 1
            place += 1
            last = place
        return last if names else start

    def _is_estate(self, place: int) -> bool:
        """A common word as the name of an estate: de La Tour, de la Fontaine."""
        words = self._cut.words
        word = words[place]
        return (
            place > 1
            and word.shape in "CU"
            and not word.bare
            and words[place - 1].upper in ("LA", "LE", "L'")
            and words[place - 2].upper == "DE"
            and word.upper not in _BODIES
        )

    def _is_small(self, place: int, *, names: int) -> bool:
        """Whether a particle may stand within a name: `le`, `la` and `l'` in small letters only after `de`."""
        word = self._cut.words[place]
        follows = place > 0 and self._cut.words[place - 1].upper in ("DE", "D'")
        return names == 0 or word.upper not in ("L'", "LE", "LA") or word.shape != "l" or follows

    def _inverted(self, place: int) -> bool:
        """DURAND, Jean: a comma between the names of one person."""
        before, word = self._cut.words[place - 1], self._cut.words[place]
        if self._cut.gap(place) != ", " or is_common(word.upper) or word.upper in TITLES:
            return False
        ends = self._cut.plain[word.end : word.end + 2].strip() or "\n"
        following = self._cut.words[place + 1].upper if place + 1 < len(self._cut.words) else ""
        return (before.shape == "U" and word.shape == "C") or (
            word.bare and (ends[0] in ".,;\n(" or is_common(following)) and word.upper not in TOWNS
        )

    def _is_name(self, word: Word, *, first: bool, strong: bool) -> bool:
        upper = word.upper
        if upper in ("M", "MME", "MLLE") or upper in TITLES:
            return False
        known = (
            upper in FIRST
            or upper in LAST_PARTS
            or ("-" in upper and any(part in FIRST or part in LAST for part in upper.split("-")))
        )
        if word.bare or word.shape == "l":
            if word.shape == "I":
                return word.upper not in ("A", "Y") or self._cut.plain.startswith(".", word.end)
            common = upper in COMMON and not (known and first and strong)
            if word.shape == "l" and not word.bare:
                plain = len(upper) > 2 and (upper in LAST or not is_common(upper))
                return (known and upper not in COMMON) or (first and strong and plain)
            return not common and (
                known or (first and strong) or (not is_common(upper) and not first and len(upper) > 1)
            )
        if word.shape == "I":
            return True
        if upper in COMMON:
            return known and ((first and strong) or (upper in LAST_PARTS and word.shape == "U"))
        return first or known or not (word.shape == "C" and upper in TOWNS)

    def _around_first_name(self, index: int, word: Word) -> None:
        ambiguous = word.upper in AMBIGUOUS_FIRST or word.upper in COMMON
        follows = self._name_beside(index + 1, gap_at=index + 1, sure=ambiguous or word.shape == "l" or word.bare)
        precedes = self._name_beside(index - 1, gap_at=index, sure=ambiguous or word.shape == "l" or word.bare)
        if follows:
            first = index
            last = self._walk(index, strong=True)
            while (
                first
                and self._name_beside(first - 1, gap_at=first, sure=False)
                and self._cut.words[first - 1].shape in "UI"
            ):
                first -= 1
            self._found.append((self._with_particles(first), max(last, index + 2)))
        elif precedes:
            first = index - 1
            while (
                first
                and self._cut.joined(first)
                and self._cut.words[first - 1].upper not in COMMON
                and (self._cut.words[first - 1].upper in PARTICLES or self._cut.words[first - 1].shape == "U")
                and not self._cut.words[first].bare
            ):
                first -= 1
            self._found.append((self._with_particles(first), index + 1))
        elif (
            not ambiguous and word.upper not in LAST and (word.shape == "C" or (word.bare and len(word.upper) > 3))
        ) or (not ambiguous and word.shape in "CU" and not word.bare):
            self._found.append((index, index + 1))

    def _with_particles(self, first: int) -> int:
        """Take the small words of a family name before it along."""
        least = max(0, first - _LONGEST_NAME)
        while (
            first > least
            and self._cut.words[first - 1].upper in PARTICLES
            and self._cut.words[first - 1].shape != "l"
            and self._cut.gap(first) in TIGHT
        ):
            first -= 1
        return first

    def _name_beside(self, place: int, *, gap_at: int, sure: bool) -> bool:
        """Whether the word at a place is a name's other half."""
        if not (0 <= place < len(self._cut.words) and 0 < gap_at < len(self._cut.words)) or not self._cut.joined(
            gap_at
        ):
            return False
        word = self._cut.words[place]
        upper = word.upper
        if upper in PARTICLES:
            return place == gap_at and self._name_beside(place + 1, gap_at=place + 1, sure=sure)
        if upper in COMMON and upper not in LAST_PARTS:
            return False
        if upper in LAST_PARTS or upper in FIRST:
            return word.shape != "l" or upper not in COMMON
        if is_common(upper) or len(upper) < 2 or upper in TITLES:
            return False
        if word.bare:
            return not sure or upper not in TOWNS
        return word.shape == "U" or (word.shape == "C" and (not sure or upper not in TOWNS))

    def _around_initial(self, index: int) -> None:
        """J. Durand, Durand J., J.-P. Durand."""
        word = self._cut.words[index]
        dotted = self._cut.plain[word.end : word.end + 1] == "."
        if (word.bare and not dotted) or word.upper == "M":
            return
        for place, gap_at in ((index + 1, index + 1), (index - 1, index)):
            if not 0 <= place < len(self._cut.words) or not 0 < gap_at < len(self._cut.words):
                continue
            other = self._cut.words[place]
            gap = self._cut.gap(gap_at)
            if gap not in (" ", ". ", ".", ".-", "-", ". -") or other.shape not in "UC" or len(other.upper) < 3:
                continue
            known = other.upper in LAST_PARTS
            if (
                known or (dotted and not is_common(other.upper) and other.upper not in TOWNS)
            ) and other.upper not in TITLES:
                if place < index and ("." in gap or not (dotted or known)):
                    continue
                first = min(index, place)
                while (
                    first and self._cut.words[first - 1].shape == "I" and self._cut.gap(first) in (".", ". ", ".-", "-")
                ):
                    first -= 1
                self._found.append((first, max(index, place) + 1))

    def _capitals(self, index: int, word: Word) -> None:
        """A family name in capitals beside a word with a capital: DURAND Jean, Zbigniew KOWALCZYK."""
        if len(word.upper) < 3 or is_common(word.upper) or (word.upper in TOWNS and word.upper not in LAST):
            return
        first, last = index, index + 1
        while last < len(self._cut.words) and self._cut.joined(last) and is_half(self._cut.words[last]):
            last += 1
        while first and self._cut.joined(first) and is_half(self._cut.words[first - 1]):
            first -= 1
        while (
            first
            and self._cut.words[first - 1].upper in PARTICLES
            and self._cut.words[first - 1].shape == "U"
            and self._cut.gap(first) in TIGHT
        ):
            first -= 1
        if last - first > 1:
            self._found.append((first, min(last, first + _LONGEST_NAME)))

    def _family_name(self, index: int, word: Word) -> None:
        """A known family name alone: in capitals, or with a capital in the middle of a sentence."""
        upper = word.upper
        if upper in COMMON or len(upper) < 3 or upper in TOWNS or upper in AMBIGUOUS_FIRST:
            return
        before = self._cut.words[index - 1] if index and self._cut.joined(index) else None
        if before and before.shape in "CU" and is_half(before) and not word.bare and word.shape != "l":
            self._found.append((index - 1, index + 1))
        if (
            (word.shape == "U" and len(upper) > 2)
            or (word.bare and len(upper) > 3 and word.shape != "l")
            or (word.shape == "C" and index and "." not in self._cut.gap(index) and "\n" not in self._cut.gap(index))
        ):
            self._found.append((index, index + 1))


def _leads_on(gap: str, *, strong: bool) -> bool:
    """Whether what stands after a title or a role may come before the name."""
    if len(gap) > 6 or "\n\n" in gap or ("," in gap and not strong):
        return False
    return not gap.strip(" .:=\t-'\"()/|\n°,;" if strong else " :='\"(/-\t.\n")


def _misspelt() -> frozenset[str]:
    titles = ("monsieur", "madame", "mademoiselle", "lieutenant", "capitaine", "adjudant", "brigadier", "gendarme")
    near = frozenset(word.upper() for title in titles for word in slips(title) if len(word) > 6)
    return near - COMMON - FIRST - LAST - {"GENDARMES", "MADAMES", "ADJUDANTS", "CAPITAINES", "BRIGADIERS"}


_MISSPELT_TITLES = _misspelt()
