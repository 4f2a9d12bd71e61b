"""What a representation report says, in English and in French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "fr"]

WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Whom {ref} stands for",
        "rows": "{kept} rows are kept of {drawn} drawn, from a population of {population}.",
        "within": "Every figure is within the declared limits.",
        "no-limits": "No limit is declared (`representation.limits`): this report refuses nothing.",
        "exceeded": "Not representative:",
        "nothing": "no row is kept, so that nothing can be compared",
        "over-difference": "{name}: standardised difference {value}, limit {limit}",
        "over-divergence": "{name}: divergence {value}, limit {limit}",
        "over-missing": "{name}: {state} values depend on {on}, Cramér's V {value}, limit {limit}",
        "overview": "Overview",
        "overview-text": "The greatest standardised difference of each dimension: 0 when every class has the same "
        "share among the rows kept as in the population; from 0.1 a difference is usually taken seriously.",
        "limit": "limit {limit}",
        "missing": "Missing values",
        "missing-none": "No value is missing in any dimension.",
        "missing-of": "{name}: {parts} in the population; {kept} values missing among the rows kept.",
        "null": "{count} nulls",
        "empty": "{count} empty texts, which are no nulls",
        "unknown": "{count} texts that say unknown",
        "depends": "Not missing at random: whether {name} is {state} depends on {on} (Cramér's V {v}, p {p}).",
        "depends-where": "It is so in {share} of the rows where {on} is “{value}”, and in {elsewhere} of the others.",
        "depends-weak": "{name}: no dimension here tells which values are missing (strongest: {on}, Cramér's V {v}).",
        "state-null": "null",
        "state-empty": "empty",
        "state-unknown": "unknown",
        "figures": "Divergence {divergence} bit; greatest standardised difference {difference}.",
        "class-null": "(null)",
        "class-empty": "(empty text)",
        "class-unknown": "{value} (unknown)",
        "class-pooled": "(small classes together)",
        "class-none": "none of the rows kept",
        "few": "few (not told below {floor})",
        "class-figure": "{population} → {kept}",
        "difference": "difference {difference}",
        "legend-population": "population (upper bar)",
        "legend-kept": "rows kept (lower bar)",
        "footer": "Counted in the engine: only counts of classes left it, none told below {floor}; smaller classes "
        "are pooled. Shares alike on these dimensions say nothing of others. That values are missing at random cannot "
        "be proved from the data: a dependence that is found shows they are not; none found shows nothing.",
        "head-dimension": "dimension",
        "head-divergence": "divergence",
        "head-difference": "difference",
        "head-missing": "missing",
    },
    "fr": {
        "title": "Ce que {ref} représente",
        "rows": "{kept} lignes gardées sur {drawn} tirées, pour une population de {population}.",
        "within": "Chaque mesure respecte les limites déclarées.",
        "no-limits": "Aucune limite n'est déclarée (`representation.limits`) : ce rapport ne refuse rien.",
        "exceeded": "Non représentatif :",
        "nothing": "aucune ligne n'est gardée : il n'y a rien à comparer",
        "over-difference": "{name} : différence standardisée {value}, limite {limit}",
        "over-divergence": "{name} : divergence {value}, limite {limit}",
        "over-missing": "{name} : ce qui est {state} dépend de {on}, V de Cramér {value}, limite {limit}",
        "overview": "Vue d'ensemble",
        "overview-text": "La plus grande différence standardisée de chaque dimension : 0 quand chaque classe a la même "
        "part parmi les lignes gardées que dans la population ; à partir de 0,1, une différence est d'ordinaire jugée "
        "sérieuse.",
        "limit": "limite {limit}",
        "missing": "Valeurs manquantes",
        "missing-none": "Aucune valeur ne manque dans aucune dimension.",
        "missing-of": "{name} : {parts} dans la population ; {kept} valeurs manquent parmi les lignes gardées.",
        "null": "{count} valeurs nulles",
        "empty": "{count} textes vides, qui ne sont pas des valeurs nulles",
        "unknown": "{count} textes qui disent «\u202finconnu\u202f»",
        "depends": "Absences non aléatoires : que {name} soit {state} dépend de {on} (V de Cramér {v}, p {p}).",
        "depends-where": "C'est le cas de {share} des lignes où {on} vaut «\u202f{value}\u202f», et de "
        "{elsewhere} des autres.",
        "depends-weak": "{name} : aucune dimension d'ici ne dit quelles valeurs manquent (au plus fort : {on}, V de "
        "Cramér {v}).",
        "state-null": "nul",
        "state-empty": "vide",
        "state-unknown": "inconnu",
        "figures": "Divergence {divergence} bit ; plus grande différence standardisée {difference}.",
        "class-null": "(nul)",
        "class-empty": "(texte vide)",
        "class-unknown": "{value} (inconnu)",
        "class-pooled": "(petites classes réunies)",
        "class-none": "aucune des lignes gardées",
        "few": "peu (pas dit sous {floor})",
        "class-figure": "{population} → {kept}",
        "difference": "différence {difference}",
        "legend-population": "population (barre du haut)",
        "legend-kept": "lignes gardées (barre du bas)",
        "footer": "Compté dans le moteur : seuls des effectifs de classes en sont sortis, aucun n'est dit sous "
        "{floor} ; les classes plus petites sont réunies. Des parts semblables sur ces dimensions ne disent rien des "
        "autres. Le caractère aléatoire des absences ne se prouve pas sur les données : une dépendance trouvée montre "
        "qu'elles ne le sont pas ; n'en trouver aucune ne montre rien.",
        "head-dimension": "dimension",
        "head-divergence": "divergence",
        "head-difference": "différence",
        "head-missing": "manquantes",
    },
}
