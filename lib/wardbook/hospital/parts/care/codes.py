"""What is treated in each ward, and with what: CIM-10, CCAM and ATC, with how often.

Names are short ones of our own. Shares are sensible, not measured anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardbook.omop.vocabulary import Concept


@dataclass(frozen=True)
class Diagnosis:
    """A main diagnosis: its weight in a ward, and the ages and the sex that have it."""

    code: str
    weight: float
    ages: tuple[int, int] = (0, 120)
    sex: str = ""


@dataclass(frozen=True)
class Treatment:
    """A procedure or drug: its share of those who have the ward or the diagnosis."""

    code: str
    share: float
    by: str
    """A ward's code, or a diagnosis."""


@dataclass(frozen=True)
class Drug:
    """How a drug is given: doses a day, unit, route."""

    code: str
    name: str
    daily: float
    unit: str
    route: str = "oral"


INFLUENZA = "J10.1"
INFLUENZA_AT_PEAK = {"URGE": 0.18, "PNEU": 0.35, "MINF": 0.30, "GERI": 0.20, "PEDI": 0.25}
"""Share of the stays that begin at the epidemic's peak which have it as their main diagnosis."""
OUTPATIENT = "Z09.8"

NAMES = {
    INFLUENZA: "Grippe saisonnière avec signes respiratoires",
    OUTPATIENT: "Examen de contrôle",
    "A08.0": "Gastroentérite à rotavirus",
    "A41.5": "Sepsis à bactérie à Gram négatif",
    "A46": "Érysipèle",
    "C18.7": "Cancer du côlon sigmoïde",
    "C25.9": "Cancer du pancréas",
    "C34.1": "Cancer du lobe supérieur du poumon",
    "C50.9": "Cancer du sein",
    "C61": "Cancer de la prostate",
    "C67.9": "Cancer de la vessie",
    "C83.3": "Lymphome diffus à grandes cellules B",
    "C90.0": "Myélome multiple",
    "C91.1": "Leucémie lymphoïde chronique",
    "C92.0": "Leucémie aiguë myéloïde",
    "D61.9": "Aplasie médullaire",
    "D86.9": "Sarcoïdose",
    "E86": "Déshydratation",
    "F05.9": "Confusion aiguë",
    "F10.0": "Intoxication alcoolique aiguë",
    "G20": "Maladie de Parkinson",
    "G35": "Sclérose en plaques",
    "G40.9": "Épilepsie",
    "G45.9": "Accident ischémique transitoire",
    "I20.0": "Angor instable",
    "I21.4": "Infarctus du myocarde sous-endocardique",
    "I25.1": "Coronaropathie athéromateuse",
    "I26.9": "Embolie pulmonaire",
    "I35.0": "Rétrécissement aortique",
    "I44.2": "Bloc auriculoventriculaire complet",
    "I50.1": "Insuffisance ventriculaire gauche aiguë",
    "I63.9": "Infarctus cérébral",
    "I80.2": "Thrombose veineuse profonde",
    "J06.9": "Infection des voies aériennes supérieures",
    "J18.9": "Pneumopathie infectieuse",
    "J21.0": "Bronchiolite à virus respiratoire syncytial",
    "J44.1": "Exacerbation de bronchopneumopathie obstructive",
    "J45.9": "Asthme",
    "J80": "Syndrome de détresse respiratoire aiguë",
    "J93.1": "Pneumothorax spontané",
    "J96.0": "Insuffisance respiratoire aiguë",
    "K35.8": "Appendicite aiguë",
    "K40.9": "Hernie inguinale",
    "K50.9": "Maladie de Crohn",
    "K52.9": "Gastroentérite",
    "K56.6": "Occlusion intestinale",
    "K65.0": "Péritonite aiguë",
    "K70.3": "Cirrhose alcoolique",
    "K80.0": "Cholécystite aiguë lithiasique",
    "K80.5": "Lithiase de la voie biliaire principale",
    "K85.9": "Pancréatite aiguë",
    "K92.2": "Hémorragie digestive",
    "M16.1": "Coxarthrose",
    "M17.1": "Gonarthrose",
    "M31.5": "Artérite à cellules géantes",
    "N04.9": "Syndrome néphrotique",
    "N10": "Pyélonéphrite aiguë",
    "N17.9": "Insuffisance rénale aiguë",
    "N18.5": "Maladie rénale chronique, stade 5",
    "N20.1": "Calcul de l'uretère",
    "N23": "Colique néphrétique",
    "N39.0": "Infection urinaire",
    "N40": "Hypertrophie de la prostate",
    "O14.1": "Prééclampsie sévère",
    "O60": "Menace d'accouchement prématuré",
    "O80.0": "Accouchement par voie basse",
    "O82.0": "Césarienne programmée",
    "R07.4": "Douleur thoracique",
    "R10.4": "Douleur abdominale",
    "R29.6": "Chutes à répétition",
    "R40.2": "Coma",
    "R50.9": "Fièvre",
    "R55": "Syncope",
    "R56.0": "Convulsions fébriles",
    "R57.1": "Choc hypovolémique",
    "R57.2": "Choc septique",
    "S01.0": "Plaie du cuir chevelu",
    "S06.5": "Hématome sous-dural traumatique",
    "S52.5": "Fracture du poignet",
    "S72.0": "Fracture du col du fémur",
    "S82.8": "Fracture de la cheville",
    "S93.4": "Entorse de la cheville",
    "T07": "Polytraumatisme",
    "Z50.1": "Rééducation",
    "Z51.1": "Chimiothérapie pour tumeur",
    "Z51.8": "Soins médicaux de suite",
}

_D = Diagnosis
MAIN: dict[str, tuple[Diagnosis, ...]] = {
    "URGE": (
        *(_D("S93.4", 9), _D("R10.4", 12), _D("R07.4", 9, (18, 120)), _D("J06.9", 7)),
        *(_D("S01.0", 9), _D("R55", 6), _D("N23", 6, (18, 120)), _D("F10.0", 5, (15, 90))),
        *(_D("K52.9", 7), _D("S52.5", 6), _D("R56.0", 6, (0, 5))),
    ),
    "CARD": (_D("I21.4", 5), _D("I50.1", 6), _D("I20.0", 4), _D("I44.2", 2), _D("I35.0", 2)),
    "CHIR": (_D("K35.8", 5), _D("K80.0", 5), _D("K56.6", 3), _D("K40.9", 4), _D("C18.7", 3)),
    "ORTH": (
        *(_D("S72.0", 5, (65, 120)), _D("M16.1", 4, (45, 120)), _D("M17.1", 4, (45, 120))),
        *(_D("S52.5", 3), _D("S82.8", 4)),
    ),
    "CTCV": (_D("I25.1", 5), _D("I35.0", 4), _D("J93.1", 2), _D("C34.1", 3)),
    "UROL": (_D("N20.1", 5), _D("N40", 6, (50, 120), "M"), _D("C67.9", 2), _D("N10", 2)),
    "NEUR": (_D("I63.9", 7), _D("G40.9", 3), _D("G35", 2, (18, 65)), _D("G20", 2, (50, 120)),
             _D("G45.9", 2)),
    "PNEU": (_D("J18.9", 6), _D("J44.1", 5, (40, 120)), _D("C34.1", 3), _D("I26.9", 3)),
    "HGEN": (_D("K70.3", 4, (25, 120)), _D("K92.2", 4), _D("K85.9", 3), _D("K50.9", 2),
             _D("K80.5", 3)),
    "NEPH": (_D("N17.9", 5), _D("N18.5", 4), _D("N04.9", 1)),
    "HEMA": (_D("C83.3", 3), _D("C90.0", 3), _D("C92.0", 3), _D("C91.1", 2), _D("D61.9", 1)),
    "ONCO": (_D("Z51.1", 5), _D("C50.9", 4, (25, 120), "F"), _D("C34.1", 3), _D("C18.7", 3),
             _D("C25.9", 2), _D("C61", 3, (50, 120), "M")),
    "MINF": (_D("A41.5", 4), _D("N10", 3), _D("J18.9", 4), _D("A46", 3)),
    "MEDI": (_D("R50.9", 3), _D("I80.2", 3), _D("D86.9", 1), _D("M31.5", 2, (50, 120)),
             _D("N17.9", 2), _D("J18.9", 3)),
    "GERI": (_D("R29.6", 4), _D("F05.9", 4), _D("J18.9", 4), _D("N39.0", 3), _D("E86", 3)),
    "MATE": (_D("O80.0", 8), _D("O82.0", 2), _D("O14.1", 0.5), _D("O60", 1)),
    "PEDI": (_D("J21.0", 4, (0, 2)), _D("A08.0", 3, (0, 5)), _D("J45.9", 3), _D("R56.0", 2, (0, 6)),
             _D("K35.8", 2), _D("N10", 2)),
    "REAM": (_D("J96.0", 4), _D("R57.2", 4), _D("J80", 2), _D("R40.2", 2)),
    "REAC": (_D("T07", 3), _D("K65.0", 3), _D("R57.1", 2), _D("S06.5", 2)),
    "SSRE": (_D("Z50.1", 6), _D("Z51.8", 4)),
}  # fmt: skip
"""Main diagnoses by ward."""

PROCEDURE_NAMES = {
    "ACQK001": "Scanner du crâne sans injection",
    "DBKA006": "Remplacement de la valve aortique",
    "DDQH009": "Coronarographie",
    "DEQP003": "Électrocardiogramme à 12 dérivations",
    "DZQM006": "Échocardiographie transthoracique",
    "EQLF002": "Perfusion de catécholamines",
    "FDHB001": "Biopsie ostéomédullaire",
    "FELF011": "Transfusion de globules rouges",
    "GEQE007": "Fibroscopie bronchique",
    "GLLD015": "Ventilation mécanique invasive",
    "HEQE002": "Endoscopie œso-gastro-duodénale",
    "HHFA016": "Appendicectomie par cœlioscopie",
    "HHQE005": "Coloscopie totale",
    "HMFC004": "Cholécystectomie par cœlioscopie",
    "JGFA015": "Résection endoscopique de la prostate",
    "JQGA002": "Césarienne programmée",
    "JQGD010": "Accouchement par voie naturelle",
    "JVJF004": "Séance d'hémodialyse",
    "NEKA018": "Prothèse fémorale cervicocéphalique",
    "NEKA020": "Prothèse totale de hanche",
    "NFKA007": "Prothèse de genou",
    "ZBQK002": "Radiographie du thorax",
    "ZCQM008": "Échographie de l'abdomen",
}
_T = Treatment
PROCEDURES = (
    *(_T("DEQP003", 0.35, "URGE"), _T("ZBQK002", 0.25, "URGE"), _T("DEQP003", 0.95, "CARD")),
    *(_T("DZQM006", 0.70, "CARD"), _T("DDQH009", 0.85, "I21.4"), _T("DDQH009", 0.60, "I20.0")),
    *(_T("DBKA006", 0.55, "I35.0"), _T("HHFA016", 0.92, "K35.8"), _T("HMFC004", 0.75, "K80.0")),
    *(_T("ZCQM008", 0.50, "CHIR"), _T("NEKA018", 0.55, "S72.0"), _T("NEKA020", 0.95, "M16.1")),
    *(_T("NFKA007", 0.95, "M17.1"), _T("JGFA015", 0.70, "N40"), _T("ACQK001", 0.90, "NEUR")),
    *(_T("ZBQK002", 0.85, "PNEU"), _T("GEQE007", 0.60, "C34.1"), _T("HEQE002", 0.80, "K92.2")),
    *(_T("HHQE005", 0.60, "K50.9"), _T("JVJF004", 0.80, "N18.5"), _T("FDHB001", 0.45, "HEMA")),
    *(_T("FELF011", 0.40, "HEMA"), _T("FELF011", 0.35, "K92.2"), _T("JQGD010", 1.0, "O80.0")),
    *(_T("JQGA002", 1.0, "O82.0"), _T("GLLD015", 0.60, "REAM"), _T("GLLD015", 0.55, "REAC")),
    *(_T("EQLF002", 0.90, "R57.2"), _T("ZBQK002", 0.55, "GERI")),
)

DRUGS = (
    Drug("A10BA02", "Metformine", 2000, "mg"),
    Drug("B01AB05", "Énoxaparine", 4000, "UI", "subcutaneous"),
    Drug("B01AF02", "Apixaban", 10, "mg"),
    Drug("C03CA01", "Furosémide", 40, "mg"),
    Drug("C07AB07", "Bisoprolol", 5, "mg"),
    Drug("C09AA05", "Ramipril", 5, "mg"),
    Drug("C10AA05", "Atorvastatine", 40, "mg"),
    Drug("H02AB06", "Prednisolone", 60, "mg"),
    Drug("J01CR02", "Amoxicilline et acide clavulanique", 3, "g", "intravenous"),
    Drug("J01DD04", "Ceftriaxone", 2, "g", "intravenous"),
    Drug("J05AH02", "Oseltamivir", 150, "mg"),
    Drug("L01XA03", "Oxaliplatine", 130, "mg", "intravenous"),
    Drug("N02BE01", "Paracétamol", 3, "g"),
    Drug("N06AB10", "Escitalopram", 10, "mg"),
    Drug("R03BB04", "Tiotropium", 18, "µg", "inhaled"),
)
ACUTE_DRUGS = (
    *(_T("N02BE01", 0.70, ""), _T("N02BE01", 0.45, "URGE"), _T("J01CR02", 0.75, "J18.9")),
    *(_T("J01DD04", 0.80, "N10"), _T("J01DD04", 0.75, "A41.5"), _T("J01DD04", 0.70, "N39.0")),
    *(_T("J05AH02", 0.60, INFLUENZA), _T("B01AB05", 0.90, "ORTH"), _T("B01AB05", 0.70, "CHIR")),
    *(_T("B01AB05", 0.50, "GERI"), _T("B01AB05", 0.95, "I26.9"), _T("B01AB05", 0.90, "I80.2")),
    *(_T("C03CA01", 0.95, "I50.1"), _T("H02AB06", 0.70, "J44.1"), _T("H02AB06", 0.95, "M31.5")),
    *(_T("L01XA03", 0.40, "Z51.1"), _T("L01XA03", 0.25, "C18.7")),
)
"""Drugs by diagnosis or ward; "" are all stays but those in the emergency department."""


def condition_concept(code: str, name: str) -> Concept:
    """Return the concept of a CIM-10 code."""
    return Concept("ICD10", code, name, "Condition")


def procedure_concepts() -> dict[str, Concept]:
    """Return the concepts of the CCAM codes."""
    return {c: Concept("CCAM", c, name, "Procedure") for c, name in PROCEDURE_NAMES.items()}


def drug_concepts() -> dict[str, Concept]:
    """Return the concepts of the ATC codes."""
    return {drug.code: Concept("ATC", drug.code, drug.name, "Drug") for drug in DRUGS}
