"""People of the corpus: frequent French names, rare ones, and compound ones."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

FREQUENT = """
Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre
Leroy Roux David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent
Muller Lefèvre Faure André Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand Gauthier
Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier Masson Marchand Duval
Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard Giraud Joly Rivière Lucas
Brunet Gaillard Barbier Arnaud Martinez Gérard Roche Renard Schmitt Roy Leroux Colin Vidal Caron
Picard Roger Fabre Aubert Lemoine Renaud Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît
Rey Leclerc Payet Rolland Leclercq Guillaume Lecomte Lopez Jean Dupuy Guillot Hubert Berger
Carpentier Sanchez Dupuis Moulin Louis Deschamps Huet Vasseur Perez Boucher Fleury Royer Klein
Jacquet Adam Paris Poirier Marty Aubry Guyot Carré Charles Renault Charpentier Ménard Maillard
Baron Bertin Bailly Hervé Schneider Fernandez Collet Léger Bouvier Julien Prévost Millet Perrot
Daniel Cousin Germain Breton Besson Langlois Rémy Pelletier Lévêque Perrier Leblanc Barré Lebrun
Marchal Weber Mallet Hamon Boulanger Jacob Monnier Michaud Rodriguez Guichard Gillet Étienne
Grondin Poulain Tessier Chevallier Collin Chauvin Bouchet Gay Lemaître Bénard Maréchal Humbert
Reynaud Antoine Hoarau Perret Barthélemy Cordier Pichon Lejeune Gilbert Lamy Delaunay Pasquier
Carlier Laporte
""".split()  # noqa: SIM905
STEMS = """
Kerle Plou Guéno Tréga Morva Landé Quéré Bélé Cazau Etche Iriba Goyhé Mouly Peyra Rouqui Sabla
Vayssi Zabla Ouedra Diallo Koulo Traoré Nguye Phamv Benhad Mezza Abdel Boukha Chérif Haddou Kowal
Wisni Szyma Ferrei Olivei Carva Gonça Esposi Ricciu Ferra Hoffma Zimmer Schult Oberli Klinge
Waldne Vandenb Deschry Debruy Lammen Verhae Hellegou Cosqué Bozec Guivar Floch Quemen Troadé
""".split()  # noqa: SIM905
TAILS = """
c n ck rt ux nnec venn garay berry lles nove guet dou té ine arde euil oux ès ix and elle mat ski
wicz eiro lho nini tto ller gger dère brouck gnies lart rgne
""".split()  # noqa: SIM905
COMPOUND = ["Le Goff", "Le Gall", "De La Fuente", "Du Bellay", "D'Estaing", "Saint-Yves",
            "L'Hermite", "Ben Soussan", "El Mansouri", "Da Costa", "Van Hoecke",
            "De Kermadec", "N'Diaye"]  # fmt: skip
WOMEN = """
Marie Nathalie Isabelle Sylvie Catherine Martine Christine Françoise Valérie Sandrine Stéphanie
Sophie Céline Chantal Patricia Anne Brigitte Julie Monique Aurélie Nicole Laurence Annie Émilie
Dominique Virginie Corinne Élodie Christelle Camille Caroline Léa Sarah Florence Laetitia Audrey
Hélène Laura Manon Michèle Cécile Chloé Sabrina Aïcha Yasmina Fatoumata Nolwenn Maïwenn Rose
Blanche
""".split()  # noqa: SIM905
MEN = """
Jean Philippe Michel Alain Patrick Nicolas Christophe Pierre Christian Éric Frédéric Laurent
Stéphane David Pascal Daniel Alexandre Julien Thierry Olivier Bernard Thomas Sébastien Gérard
Didier Dominique Vincent François Bruno Guillaume Jérôme Jacques Marc Maxime Romain Claude Antoine
Franck Jean-Pierre Anthony Kévin Gilles Cédric Serge André Mathieu Benjamin Patrice Fabrice Joël
Mohamed Yann Loïc
""".split()  # noqa: SIM905


@dataclass(frozen=True)
class Person:
    """A patient of the corpus; nobody is meant."""

    surname: str
    first: str
    woman: bool


def invent_people(random: Random, count: int) -> list[Person]:
    """Return a cohort: a third with frequent surnames, some compound, the others rare."""
    people = []
    for _ in range(count):
        woman = random.random() < 0.5
        first = random.choice(WOMEN if woman else MEN)
        draw = random.random()
        if draw < 0.35:
            surname = random.choice(FREQUENT)
        elif draw < 0.42:
            surname = random.choice(COMPOUND)
        elif draw < 0.50:
            surname = f"{random.choice(FREQUENT)}-{_invent_surname(random)}"
        else:
            surname = _invent_surname(random)
        people.append(Person(surname, first, woman))
    return people


def _invent_surname(random: Random) -> str:
    return random.choice(STEMS) + random.choice(TAILS)
