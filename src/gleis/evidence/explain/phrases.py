"""The sentences of an explanation in words, in each language."""

from __future__ import annotations

from gleis.contracts.wording import Language

_EN = {
    "class": "{target} being {value}",
    "chance": "The chance of {of} was {score}.",
    "answer": "The answer was {answer}.",
    "value": "The answer for {target} was {score}.",
    "start": "Before anything is known about a case, the model starts at {base}.",
    "against": "What counted most against it: {items}.",
    "for": "What counted most for it: {items}.",
    "lowered": "What lowered it most: {items}.",
    "raised": "What raised it most: {items}.",
    "nothing": "Nothing that was given moved it.",
    "item": "{name} ({value})",
    "item inside": "{name}; here {value})",
    "not causal": (
        "This says how the model weighed what it was given, not what causes what, and not "
        "what would happen if something were changed."
    ),
    "lime": (
        "This is a simplification: near this case it follows {fidelity} of the ups and downs "
        "of the model's answers, and it does not say what causes what."
    ),
    "anchor": (
        "The answer stays {answer} as long as {rule}: then {precision} of cases ({low} to "
        "{high}) get it, whatever else differs. This applies to {coverage} of all cases."
    ),
    "give or take": "{answer} (give or take {reach})",
    "anchor without rule": (
        "The answer is {answer} in {precision} of cases ({low} to {high}), whatever they are."
    ),
    "anchor not": (
        "It says what is enough for the answer, not what would change it, and not what causes what."
    ),
    "had": "Had {changes}, the answer would have been {answer}{chance}.",
    "or had": "Or: had {changes}, the answer would have been {answer}{chance}.",
    "change": "{name} been {after} instead of {before}",
    "chance then": " (chance of {of}: {score})",
    "none found": "No change was found that leads to another answer.",
    "immutable": "This was not regarded as changeable: {names}.",
    "counterfactual not": (
        "It says what the model would answer, not whether such a change is possible, nor what "
        "it would change in life."
    ),
    "mean class": "the chance of {of}",
    "mean value": "the answer for {target}",
    "ends": (
        "Over {rows} cases, {what} is on average lowest, {low}, where {name} is {at_low}, and "
        "highest, {high}, where {name} is {at_high}."
    ),
    "spread": (
        "Cases differ: where {name} is {at}, it lies between {low} and {high} for 95% of them."
    ),
    "ale": (
        "Between cases that are otherwise alike, {what} is up to {high} above the mean where "
        "{name} is {at_high}, and up to {low} below it where {name} is {at_low}."
    ),
    "together": (
        "With {beside} set too, it is lowest, {low}, where {name} is {at_low} and {beside} is "
        "{beside_low}, and highest, {high}, where they are {at_high} and {beside_high}."
    ),
    "flat": "{what} does not move with {name}.",
    "outside": "Some of it is made up: {share} of the cases behind it never occur like that.",
    "effect not": "It says how the model answers, not what causes what.",
    "most": "The model relies most on {items}.",
    "rise": (
        "If {name} is mixed up among {rows} cases, the model's error ({metric}) rises by "
        "{value} ({low} to {high})."
    ),
    "moves": "What moves the model's answers most: {items}.",
    "no reliance": "It does not measurably rely on {items}.",
    "importance not": "What says the same shares its weight; this does not say what causes what.",
    "surrogate": (
        "Roughly, and for {fidelity} of the ups and downs of its answers, the model goes by "
        "these rules:"
    ),
    "rule": "- If {rule}: {value} ({rows} cases).",
    "always": "- Always: {value} ({rows} cases).",
    "surrogate not": "The model itself follows finer rules, and neither says what causes what.",
    "fails": (
        "There is no explanation of this kind: it failed its own check ({measure} {value}, "
        "asked was {asked})."
    ),
    "is": "{name} is {value}",
    "at most": "{name} is at most {high}",
    "above": "{name} is above {low}",
    "between": "{name} is above {low} and at most {high}",
    "known": "{name} is given",
    "or missing": "{condition} or not given",
    "missing": "{name} is not given",
    "and": " and ",
    "score is": "{what} is {value}",
}

_DE = {
    "class": "{target} gleich {value}",
    "chance": "Die Wahrscheinlichkeit für {of} lag bei {score}.",
    "answer": "Das Ergebnis war: {answer}.",
    "value": "Das Ergebnis für {target} war {score}.",
    "start": "Ohne etwas über einen Fall zu wissen, beginnt das Modell bei {base}.",
    "against": "Am meisten dagegen sprach: {items}.",
    "for": "Am meisten dafür sprach: {items}.",
    "lowered": "Am stärksten gesenkt hat es: {items}.",
    "raised": "Am stärksten erhöht hat es: {items}.",
    "nothing": "Keine der Angaben hat etwas daran geändert.",
    "item": "{name} ({value})",
    "item inside": "{name}; hier {value})",
    "not causal": (
        "Das sagt, wie das Modell die Angaben gewichtet hat, nicht, was wovon die Ursache "
        "ist, und nicht, was bei anderen Angaben geschähe."
    ),
    "lime": (
        "Das ist eine Vereinfachung: In der Nähe dieses Falls folgt sie {fidelity} des Auf "
        "und Ab der Ergebnisse des Modells, und sie sagt nicht, was wovon die Ursache ist."
    ),
    "anchor": (
        "Das Ergebnis bleibt {answer}, solange {rule}: Dann erhalten es {precision} der Fälle "
        "({low} bis {high}), was auch immer sonst anders ist. Das trifft auf {coverage} aller "
        "Fälle zu."
    ),
    "give or take": "{answer} (auf {reach} genau)",
    "anchor without rule": (
        "Das Ergebnis ist in {precision} der Fälle ({low} bis {high}) {answer}, wie auch "
        "immer sie sind."
    ),
    "anchor not": (
        "Das sagt, was für das Ergebnis genügt, nicht, was es ändern würde, und nicht, was "
        "wovon die Ursache ist."
    ),
    "had": "Wäre {changes} gewesen, so wäre das Ergebnis {answer} gewesen{chance}.",
    "or had": "Oder: Wäre {changes} gewesen, so wäre das Ergebnis {answer} gewesen{chance}.",
    "change": "{name} {after} statt {before}",
    "chance then": " (Wahrscheinlichkeit für {of}: {score})",
    "none found": "Es wurde keine Änderung gefunden, die zu einem anderen Ergebnis führt.",
    "immutable": "Als nicht änderbar galt: {names}.",
    "counterfactual not": (
        "Das sagt, was das Modell antworten würde, nicht, ob eine solche Änderung möglich "
        "ist, und nicht, was sie im Leben ändern würde."
    ),
    "mean class": "die Wahrscheinlichkeit für {of}",
    "mean value": "das Ergebnis für {target}",
    "ends": (
        "Über {rows} Fälle ist {what} im Mittel am niedrigsten, {low}, wenn {name} {at_low} "
        "ist, und am höchsten, {high}, wenn {name} {at_high} ist."
    ),
    "spread": (
        "Die Fälle unterscheiden sich: Wenn {name} {at} ist, liegt es für 95\u00a0% von ihnen "
        "zwischen {low} und {high}."
    ),
    "ale": (
        "Zwischen sonst gleichen Fällen liegt {what} bis zu {high} über dem Mittel, wenn "
        "{name} {at_high} ist, und bis zu {low} darunter, wenn {name} {at_low} ist."
    ),
    "together": (
        "Wird auch {beside} gesetzt, so liegt der Wert am niedrigsten, {low}, wenn {name} {at_low} "
        "und {beside} {beside_low} ist, und am höchsten, {high}, bei {at_high} und {beside_high}."
    ),
    "flat": "{what} bleibt gleich, wie auch immer {name} ist.",
    "outside": "Manches daran ist ausgedacht: {share} der Fälle dahinter kommen so nie vor.",
    "effect not": "Das sagt, wie das Modell antwortet, nicht, was wovon die Ursache ist.",
    "most": "Am meisten stützt sich das Modell auf: {items}.",
    "rise": (
        "Wird {name} unter {rows} Fällen vertauscht, so steigt der Fehler des Modells "
        "({metric}) um {value} ({low} bis {high})."
    ),
    "moves": "Was die Ergebnisse des Modells am meisten bewegt: {items}.",
    "no reliance": "Nicht messbar stützt es sich auf: {items}.",
    "importance not": (
        "Angaben, die dasselbe sagen, teilen sich ihr Gewicht; was wovon die Ursache ist, "
        "sagt das nicht."
    ),
    "surrogate": (
        "Ungefähr, und für {fidelity} des Auf und Ab seiner Ergebnisse, geht das Modell nach "
        "diesen Regeln vor:"
    ),
    "rule": "- Wenn {rule}: {value} ({rows} Fälle).",
    "always": "- Immer: {value} ({rows} Fälle).",
    "surrogate not": (
        "Das Modell selbst folgt feineren Regeln, und keine davon sagt, was wovon die Ursache ist."
    ),
    "fails": (
        "Eine Erklärung dieser Art gibt es nicht: Sie bestand ihre eigene Prüfung nicht "
        "({measure} {value}, verlangt war {asked})."
    ),
    "is": "{name} {value} ist",
    "at most": "{name} höchstens {high} beträgt",
    "above": "{name} über {low} liegt",
    "between": "{name} über {low} und höchstens bei {high} liegt",
    "known": "{name} angegeben ist",
    "or missing": "{condition} oder nicht angegeben ist",
    "missing": "{name} nicht angegeben ist",
    "and": " und ",
    "score is": "{what} ist {value}",
}

PHRASES: dict[Language, dict[str, str]] = {"en": _EN, "de": _DE}
"""Language -> name of a phrase -> its text with places for what it is about."""

_MEASURES_DE = {
    "additivity gap": "Lücke zwischen Summe und Ergebnis",
    "gap to the model": "größter Abstand zum Modell",
    "local R2": "R2 in der Nähe",
    "precision": "Genauigkeit",
    "flips the answer": "ändert das Ergebnis",
    "changes only what may change, in range": "ändert nur, was sich ändern darf",
    "R2 on rows the tree has not seen": "R2 auf Fällen, die der Baum nicht gesehen hat",
    "its lower end": "am unteren Ende",
    "interplay": "Zusammenspiel",
    "changed features, at most": "geänderte Merkmale, höchstens",
    "coverage": "Geltungsbereich",
    "gap to the score": "Abstand zum Ergebnis",
    "outside what was seen": "außerhalb des Beobachteten",
}

MEASURES: dict[Language, dict[str, str]] = {"en": {}, "de": _MEASURES_DE}
"""Language -> measure of a fidelity -> what it is called; as it is where nothing is said."""
