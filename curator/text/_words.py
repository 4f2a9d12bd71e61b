"""Words that are no name (the usual French ones, those of reports, organisations, makes), and words that announce one.

Written without accents, in lower case. They end a name that began, and keep a capital at the head of a sentence from
being one. Words that are also names (petit, blanc, martin) are not here.
"""

from __future__ import annotations

from curator.text._lists import listed
from curator.text._names import COMMUNES, FIRST_NAMES, SURNAMES
from curator.text._view import fold

_GRAMMAR = """
a afin ai ainsi ait alors an ans apres as au aucun aucune aupres auquel aussi autour autre autres aux auxquels avait
avaient avant avec avoir ayant bien c car ce ceci cela celle celles celui cent ces cet cette ceux chacun chacune
chaque chez ci cinq comme comment contre d dans de dehors deja depuis derriere des deux devant dit dite dix donc
dont du durant egalement elle elles en encore enfin ensuite entre environ est et etaient etait etant etc ete etes
etre eu eux fait fois font hors huit ici il ils j je jour jours jusqu l la lequel laquelle les lesquels leur leurs
loin lors lorsque lui m ma mais malgre me meme memes mes mien mieux mille mille moi moins mon n ne neuf ni non nos
notre nous on onze or ou par parce parmi pas pendant peu peut plus plusieurs plutot pour pourquoi pres presque puis
puisque qu quand quant quatre que quel quelle quelles quelque quelques quels qui quinze quoi rien s sa sans sauf se
seize selon sept sera serait ses si sien six soi soit son sont sous suis suite sur ta tandis te tel telle tellement
tels tes toi ton tous tout toute toutes treize tres trois trop tu un une unes uns vers via vingt voici voila vos
votre vous y ont sommes soient fut furent avez avons etions aura auront aurait auraient doit doivent devait pouvait
peuvent pu du dis dire disant dits cependant toutefois neanmoins hier demain aujourd hui matin midi soir nuit heure
heures minute minutes semaine mois annee annees fin debut date dates lundi mardi mercredi jeudi vendredi samedi
dimanche janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre premier premiere
second seconde deuxieme troisieme dernier derniere nord sud ouest haut bas
"""
_REPORT = """
abord acces accident accidente accidents accompagne accord accuse acte action actuellement adresse adhesion affaire
affirme age agee agent agents agence agression alcool alcoolemie alias allee alerte ambulance amende annexe appel
appele appelant appels apport arme armes arret arrete arrivant arrive arrivee arrives article assurance assure
assistance attente attestation atteste audience audition auditionne autorisation autoroute auto avenant avenue avis
avocat avise bagage bande banque barrage bat batiment besoin bis blesse blessee blesses blessure blessures boulevard
boite bon bonjour bonne bord bureau bus cabinet cadre camion camionnette cambriolage carrefour carte cas cause
causes centre certain certes cession chambre chauffeur chaussee chef chemin cheque choc chute cinquante
circonstances circulation circule circulait circulant circulais cite civil client cliente cloture code coffre coin
collision colis commerce commissariat commune communique communication compagnie compagne compagnon compte comptes
comparait concerne concernant concubin concubine condition conditions conduit conduite conduisait conduisant
conducteur conductrice conjoint conjointe connu connue constat constate constatation constatations constatons
consulte contact contacte contrat controle convocation convoque copie corps correspondant cote coup couple cour
courant courrier courriel cours crime croisement dame danger declarant declarante declaration declare declarons
degats degat delai delit demande demandeur demeurant demeure depart departement depose deposition depistage descente
descendu desormais destinataire destination detail detenu detenteur detention dette devis different directeur
direction dire directrice docteur document documents domicile domiciliee dommage dommages donnees dossier double
douleur drap droit droite durant ecole ecoute effectue effet effraction effets egalite eglise email emis employe
employeur employee encontre endroit enfant enfants enleve enquete enqueteur enregistre entendu entendue entree
entreprise envers envoye epouse epoux equipe equipage escalier espece espece estime etablissement etage etat evacue
evacuee evacuation evenement evident examen exces excessive exercice expertise expediteur exploitant exploitation
expose extrait face facture faire faits famille faveur faute fax femme ferme feu feux feuille fiche fille filles
fils fixe fonction fonctionnaire force fond forme fort formation fourgon foyer frais frere fermeture frontal fuite
fugue furieux garage garant gardien garde gare gauche gendarme gendarmerie gendarmes genre gerant gestion glissante
grade grand grande grave greffe greffier groupe guichet habitant habitation habite hameau hauteur homme hommes
honneur hopital hotel hospitalise huissier identifie identifiee identite immatricule immatriculee immatriculation
immatricule immeuble impact impasse incendie incident inconnu inconnue indemnite indemnisation indique indiquant
individu individus information infirmier infirmiere infraction inspecteur instruction interesse interessee interieur
interpelle interpellation intervenant intervention intervient intervenu invite issue itineraire jardin jeune
joignable joint jointe jointes joints journee jugement juge jeunes kilometre km laissant laisse laquelle lesion
lettre libere liberte liaison libre lien lieu lieux ligne limite liste livraison local locataire location logement
loi longueur lors lot lotissement lumiere magasin main maire mairie maison maitre maladie manoeuvre manque
marchandise mari marie marque marche materiel materiels matricule mauvais medecin medical mediation membre menace
menaces menacant mention mere mesure message metre metres mieux militaire mineur mineure mis mise mobile mode modele
moment monde monsieur madame mademoiselle montant mort moto moyen moyens mur muni munie naissance nationale
nationalite ne nee neant negatif negatifs nez niveau nom nombre nomme nommee nommes note notre nouveau nouvelle nu
numero objet objets observation observe obtenu occupant office officier ordonnance ordre organisme origine ouvert
ouverture ouvrier page paiement papiers parcours parcelle parent parents parking parquet part partie parti parties
passage passager passagere passagers passant passe patient patiente patrouille pays peine perdu pere permanence
permis perquisition perte personne personnel personnels personnes petite photo photos piece pieces pied pieton place
plainte plaignant plaignante plan plaque plaques plateau plein plusieurs pneu poids point police policier policiers
pompier pompiers pont port portable porte porteur portait pose position possession possible poste poursuite
poursuites pouvoir pratique prealable precise precisions prefecture prenom prenoms prenomme presence present
presente presentes presume pret prevenu prevenue prevention priorite prise prison prive prix proces procureur
procedure prochain proche produit professeur profession profit projet promenade propos propriete proprietaire propre
prospectus protection protege provenance public pv quai qualite quantite quarante quartier question quitte rapport
rapports rappel rappele rayon reception recherche recherches reclamation reconnu reconnait recours recu redacteur
reference references reflexion refus refuse regard region registre reglement reglemente remis remise remercie
renseignement renseignements renseigne rencontre rendez rendu rentre renverse renversee reparation reponse repond
representant representante requerant requerante requisition reserve residence residant resident respect responsable
reste restitution resultat retard retire retour retrait retrouve reunion reveil revient risque rond route rue ruelle
sac saisie salarie salariee salle sang sante sapeurs scene secours secretaire secretariat section securite seul
seule serie serieux service services siege sieur signale signalement signataire signature signe signer signee signes
similaire sinistre situation situe situee societe sociale soeur soin soins soixante solde sommation somme sortie
sortant souhaite soussigne soussignee standard station stationne stationnement structure subi subie substitut
succession suit suivant suivante sujet superieur support suspect suspecte syndic syndicat tableau tard technique tel
tele telephone telephonique temoin temoins temoignage temoigne temps tente tentative tenu tenue terrain territoire
tete texte tiers titre titulaire toit total tour tourne trace traces trafic train traitement trajet transfert
transmis transmission transport transporte travail travaux traverse trente tribunal trottoir trouve trouvee urgence
urgences usage usager usagers utilisateur utilise vehicule vehicules veh vehic vendu vente venant venu venue verbal
verification verifie verite version victime victimes vie vif villa village ville violence violences virage visa
visage visite visiteur vitesse vitre voie voies voisin voisine voisins voiture voitures vol volant volante vole
voleur vols vouloir vue vu zone agi attendu aucunement bonjour cordialement salutations merci objet veuillez agreer
expression distinguees sincerement respectueusement convenu confirme confirmer conformement aupres devant ceans
comparant lecture persiste approuve reponse oui non fait faite dont acte copie conforme original verso recto joindre
urgent confidentiel transmis pj ps bilan colonne ligne valeur observations decision montants totaux categorie type
statut sexe etat genre couleur noir noire rouge vert verte bleu bleue grise gris jaune blanche beige marron neuf
neuve occasion diesel essence avant arriere lateral laterale gravement legerement mortellement indemne leger legere
hospitalisee decede decedee adjoint adjointe adjoints assistant assistante assistants charge chargee ingenieur
technicien technicienne comptable referent referente coordinateur coordinatrice conseiller conseillere president
presidente delegue deleguee educateur educatrice enseignant enseignante formateur formatrice magistrat substitut notaire
pharmacien pharmacienne boulanger boulangere serveur serveuse vendeur vendeuse artisan agriculteur agricultrice
retraite retraitee etudiant etudiante lyceen lyceenne collegien collegienne ecolier ambulancier ambulanciere
docteure commissaire brigade unite compagnies peloton escadron groupement region departement arrondissement canton
ministre ministres ministere senateur senateurs depute deputes consul ambassadeur
prefet prefete sous-prefet maires elus elu elue
"""
_ACRONYMS = """
vl pl pv opj apj gav corg codis sdis samu smur sncf ratp chu chru ch hlm rn rd cd bp cs za zi zac tgi tj tpi ars caf
cpam urssaf pmu tva ttc ht siret siren rcs ape naf iban bic rib nir ip url pdf sms gps gsm cb cni ppa sia fnaeg taj
fpr siv ants anssi cnil dgfip dgpn dggn igpn bac bmo cob psig brb bri crs gir ofpra cada cra usa ue onu edf gdf cie
sa sarl sas sasu sci eurl asso csp dept dpt tel mail fax ref num no nb ok svp cf ex nota bene id rio nigend mle mec
mex mc vma vin adj adc mdl mdc gnd cne ltn col cdt lcl gal bri brc bch major sgt asp eleve km kmh cm mm mg kg dna
ivg ij avp acc tc itt iti ar
"""
_MAKES = """
renault peugeot citroen dacia fiat ford opel volkswagen vw audi bmw mercedes benz toyota nissan honda hyundai kia
mazda suzuki skoda seat volvo tesla mini jeep alfa romeo lancia iveco scania man daf yamaha kawasaki ducati piaggio
harley davidson smart porsche jaguar ferrari clio megane scenic twingo kangoo captur trafic duster sandero berlingo
picasso saxo golf polo passat corsa astra fiesta focus transit punto panda yaris partner expert boxer ducato
sprinter vito zoe ds mg lexus subaru mitsubishi chevrolet chrysler ssangyong rover land triumph vespa peugeot laguna
espace modus
"""
_ENDINGS = (
    "ait", "aient", "ement", "emment", "amment", "tion", "tions", "sion", "sions", "ique", "iques", "able", "ables",
    "ible", "erent", "irent", "isant", "isme", "ivement", "issant",
)  # fmt: skip

COMMON = frozenset(f"{_GRAMMAR} {_REPORT} {_ACRONYMS} {_MAKES}".upper().split())
"""Words that are no name."""

_ENDS_WAY = """
vehicule vehicules tel telephone portable mobile mail courriel email ne nee nir rib iban siret contact immatricule
immatriculee immat titulaire depuis numero suite pour suivi pris percute circule est a ete fait fin code postal
"""
NUMERALS = frozenset(listed("""
NEUF UN DEUX TROIS QUATRE CINQ SIX SEPT HUIT DIX ONZE DOUZE VINGT TRENTE CENT MILLE PREMIER PREMIERE NORD SUD
OUEST HAUT BAS JANVIER FEVRIER MARS AVRIL MAI JUIN JUILLET AOUT SEPTEMBRE OCTOBRE NOVEMBRE DECEMBRE NOTRE JOUR
MIDI
"""))  # fmt: skip
ENDS_WAY = (frozenset(f"{_GRAMMAR} {_ENDS_WAY}".upper().split()) - NUMERALS) | frozenset(
    listed("""
M MM MR MME MMES MLLE MONSIEUR MADAME
""")
)
"""Words that end the name of a way where case tells nothing."""

PARTICLES = frozenset(
    listed("""
DE DU DES LA LE LES VAN VON DER DEN DI DA DO DOS DAS DEL DELLA EL AL BEN BENT BIN BINT IBN ABU ABOU OULD AIT D' L' N'
M' O' TER ZU MC MAC SAINT ST SAINTE
""")
)
"""Words that stand inside a name."""

TITLES = frozenset(
    listed("""
M MM MR MME MMES MLLE MLLES MELLE MONSIEUR MADAME MADEMOISELLE MESSIEURS MESDAMES SIEUR NOMME NOMMEE NOMMES
NOMMEES DENOMME DENOMMEE PRENOMME PRENOMMEE SUSNOMME SURNOMME ALIAS DOCTEUR DR PROFESSEUR MAITRE CAPITAINE
LIEUTENANT ADJUDANT ADJUDANT-CHEF MAJOR BRIGADIER BRIGADIER-CHEF GENDARME COMMANDANT COLONEL COMMISSAIRE CNE LTN
ADJ ADC MDL MDC GND CDT BRI BRC LCL BONJOUR BONSOIR CHER CHERE SALUT COUCOU VEUVE VVE CONSORTS DAME
LIEUTENANT-COLONEL CAPORAL SERGENT SERGENT-CHEF CAPORAL-CHEF SAPEUR PR MRS FRAU
SENOR SENORA SIGNOR SIGNORA SENHOR SENHORA
""")
)
"""Words after which a name stands, however it is written."""

COURTESIES = frozenset(listed("M MR MME MMES MLLE MLLES MELLE MONSIEUR MADAME MADEMOISELLE SIEUR VEUVE VVE"))
"""Those of them that stand before a name alone, not before a charge."""

LISTS = frozenset(
    listed("""
PRESENTS PRESENTES PRESENT ABSENTS EXCUSES PARTICIPANTS PARTICIPANT MEMBRES DESTINATAIRES COPIE CONSORTS TEMOINS
VICTIMES PASSAGERS EQUIPAGE PERSONNES MESSIEURS MESDAMES MM
""")
)
"""Words after which several names stand."""

ROLES = frozenset(
    listed("""
CONDUCTEUR CONDUCTRICE PASSAGER PASSAGERE PIETON VICTIME TEMOIN PLAIGNANT PLAIGNANTE REQUERANT REQUERANTE
PROPRIETAIRE TITULAIRE EPOUX EPOUSE MARI FEMME FILS FILLE FRERE SOEUR PERE MERE NEE NE INTERESSE INTERESSEE
SIGNE SIGNATURE SIGNATAIRE REDACTEUR REDACTRICE ENQUETEUR AGENT OPJ APJ GARDIEN INSPECTEUR INDIVIDU FAMILLE
CONCUBIN CONCUBINE COMPAGNE COMPAGNON CAUSE APPELANT APPELANTE CLIENT CLIENTE PATIENT PATIENTE LOCATAIRE GERANT
BAILLEUR VOISIN VOISINE SUSPECT DECLARANT DECLARANTE SOUSSIGNE SOUSSIGNEE CONTACT DESTINATAIRE EXPEDITEUR BLESSE
BLESSEE MINEUR MINEURE CYCLISTE MOTARD MOTOCYCLISTE REPRESENTANT BENEFICIAIRE ASSURE ASSUREE ENFANT CHAUFFEUR
AVEC CHEF CHEZ DIT DITE GREFFIER JUGE PROCUREUR DIRECTEUR DIRECTRICE MEDECIN INFIRMIERE AMI AMIE COUSIN COUSINE
ONCLE TANTE TONTON TATA TATIE MAMIE PAPI PAPY NEVEU NIECE
PRESENTS PRESENTES PRESENT ABSENTS EXCUSES PARTICIPANTS PARTICIPANT MEMBRES
DESTINATAIRES COPIE TEMOINS VICTIMES PASSAGERS EQUIPAGE NOM PRENOM PRENOMS PATRONYME IDENTITE USUEL NAISSANCE
MARITAL LOGIS PAIX CERTIFIE MARIE MARIEE PAR ET ENTRE CONTRE
""")
)
"""Words after which a name often stands, when it is written with a capital."""

WEAK_ROLES = frozenset(
    listed("""
AVEC CHEF CHEZ DIT DITE PAR ET ENTRE CONTRE MARIE MARIEE CERTIFIE USUEL NAISSANCE MARITAL LOGIS PAIX CAUSE AGENT
BLESSE BLESSEE PRESENT DECLARANT REPRESENTANT PERSONNES EQUIPAGE NE CONTACT COPIE FAMILLE SIGNE SIGNATURE
""")
)
"""Those of them that announce no name where a line makes no use of case."""

LABELS_OF_NAMES = frozenset(
    listed("""
NOM NOMS PRENOM PRENOMS PATRONYME IDENTITE TITULAIRE CONDUCTEUR PROPRIETAIRE VICTIME TEMOIN PERSONNE CLIENT
ASSURE AGENT REDACTEUR DECLARANT PLAIGNANT BENEFICIAIRE PATIENT USUEL NAISSANCE MARITAL CONTACT SIGNATAIRE
PASSAGER USAGER INTERESSE DEMANDEUR EXPEDITEUR DESTINATAIRE REQUERANT ADHERENT SALARIE ELEVE LOCATAIRE
NOM/PRENOM AUTEUR
""")
)
"""Heads of the columns and fields that hold a name."""

SIGNATURES = frozenset(listed("""
SIGNE SIGNATURE FAIT CORDIALEMENT SALUTATIONS RESPECTUEUSEMENT ATTENTIVEMENT AGREER SENTIMENTS ENQUETEUR
REDACTEUR DECLARANT INTERESSE SIGNATAIRE LECTURE DISTINGUEES BIEN AMITIES
"""))  # fmt: skip
"""Words of the lines that precede a signature."""

FIRST = frozenset(fold(" ".join(name.split())) for name in FIRST_NAMES.split(","))
LAST = frozenset(fold(" ".join(name.split())) for name in SURNAMES.split(","))
TOWNS = frozenset(fold(" ".join(name.split())) for name in COMMUNES.split(","))
LAST_PARTS = LAST | {
    name.rpartition(" ")[2].rpartition("'")[2] for name in LAST if len(name) > 5 and (" " in name or "'" in name)
}

# First names that are ordinary words or months: a name only beside another.
AMBIGUOUS_FIRST = frozenset(
    listed("""
ROSE MARINE PIERRE CLAIRE AMBRE BLANCHE CONSTANCE VICTOIRE VIOLETTE REINE PRUNE AIME AIMEE DESIRE FORTUNE LOU
JADE FLORE VALERE AURORE CAPUCINE OLIVE MARGUERITE IRIS ALIX CAMILLE CONSTANT GERMAIN JUIN AVRIL MAI JUSTE ANGE
MAX NOEL LANDRY PARIS ALBAN REGINE DENIS FRANCE CHARLES NORD OCTAVE COLOMBE PASCAL SERENA ROMANE CARMEN MERCEDES
ADAM EVE VICTORIA MADA LILA ALI LISE LOUIS BASILE ALEX EVA
""")
)


def is_common(word: str) -> bool:
    """Whether a word in capitals is no name by itself."""
    if word in COMMON:
        return True
    if word in FIRST or word in LAST_PARTS:
        return False
    return len(word) > 5 and word.lower().endswith(_ENDINGS)
