"""First names and family names of the demonstration base: common names only, listed by rough frequency.

The lists are plain facts known to any French speaker; no register was copied. People drawn from them are invented,
and any likeness is chance.
"""

from __future__ import annotations

MALE_NAMES = """
Jean 95,Pierre 88,Michel 86,André 60,Philippe 76,René 42,Louis 46,Alain 62,Jacques 56,Bernard 56,
Marcel 26,Daniel 50,Roger 32,Robert 38,Paul 44,Claude 42,Christian 52,Henri 30,Georges 28,Nicolas 60,
François 48,Patrick 58,Gérard 44,Christophe 56,Joseph 26,Julien 56,Maurice 26,Laurent 50,Frédéric 46,
Éric 48,David 48,Stéphane 50,Pascal 46,Sébastien 54,Alexandre 48,Thierry 50,Olivier 48,Antoine 42,
Raymond 22,Guy 28,Dominique 32,Charles 24,Didier 38,Marc 34,Vincent 42,Thomas 52,Guillaume 44,Bruno 36,
Jérôme 38,Serge 30,Lucas 40,Maxime 46,Romain 42,Hugo 36,Mathieu 36,Kévin 40,Anthony 38,Clément 38,
Benjamin 38,Léo 26,Enzo 28,Nathan 26,Théo 30,Jules 20,Gabriel 28,Raphaël 30,Arthur 24,Adam 16,
Ethan 14,Mohamed 30,Karim 14,Mehdi 14,Rachid 12,Ahmed 14,Youssef 10,Samir 10,Farid 10,Ali 12,
Ibrahim 10,Mamadou 10,Ousmane 8,Yann 20,Loïc 22,Gaël 10,Erwan 10,Ronan 8,Tanguy 6,Fabrice 32,
Franck 34,Cédric 34,Ludovic 26,Damien 28,Arnaud 30,Grégory 26,Xavier 24,Yves 34,Denis 28,Gilles 30,
Hervé 30,Jean-Pierre 40,Jean-Claude 38,Jean-Paul 26,Jean-Luc 28,Jean-François 22,Jean-Marc 24,
Jean-Michel 20,Jean-Louis 20,Jean-Jacques 14,Jean-Marie 14,Jean-Baptiste 14,Marc-Antoine 4,Pierre-Yves 5,
Lucien 16,Fernand 10,Albert 18,Émile 14,Eugène 8,Gaston 6,Léon 12,Armand 6,Gilbert 18,Roland 18,
Régis 14,Rémi 22,Rémy 14,Florian 32,Quentin 34,Valentin 28,Dylan 18,Jordan 20,Jérémy 34,Aurélien 28,
Adrien 30,Baptiste 28,Bastien 18,Corentin 20,Simon 22,Martin 16,Victor 22,Samuel 22,Axel 18,Noah 14,
Tom 18,Mathis 20,Yanis 16,Rayan 12,Sacha 12,Eliott 8,Timéo 8,Maël 10,Liam 8,Joël 22,Noël 8,Benoît 26,
Étienne 14,Cyril 20,Tristan 10,Gauthier 6,Fabien 26
"""

FEMALE_NAMES = """
Marie 120,Jeanne 40,Françoise 52,Monique 50,Catherine 56,Nathalie 60,Isabelle 58,Jacqueline 46,Anne 44,
Sylvie 54,Martine 50,Madeleine 24,Nicole 46,Suzanne 22,Hélène 30,Christine 52,Marguerite 14,Denise 24,
Louise 28,Christiane 34,Yvonne 16,Valérie 52,Sophie 48,Stéphanie 46,Sandrine 50,Véronique 46,Céline 46,
Chantal 40,Patricia 46,Brigitte 42,Julie 46,Émilie 38,Aurélie 42,Laurence 38,Marcelle 14,Germaine 12,
Simone 22,Paulette 16,Ginette 12,Odette 14,Yvette 18,Colette 20,Josette 18,Huguette 10,Raymonde 12,
Andrée 16,Thérèse 20,Bernadette 20,Annie 34,Danielle 28,Michèle 34,Évelyne 26,Élisabeth 26,Agnès 22,
Florence 34,Corinne 34,Karine 34,Delphine 32,Virginie 36,Caroline 32,Laetitia 26,Élodie 38,Mélanie 34,
Jessica 24,Laura 36,Camille 44,Manon 36,Léa 38,Chloé 34,Emma 32,Inès 20,Jade 20,Louna 6,Lina 12,
Sarah 32,Clara 24,Lucie 32,Mathilde 26,Pauline 36,Marine 34,Marion 36,Anaïs 28,Justine 26,Charlotte 28,
Margaux 18,Océane 20,Morgane 20,Solène 12,Gwenaëlle 8,Maëlle 8,Nolwenn 6,Rozenn 4,Fatima 18,Khadija 8,
Aïcha 8,Nadia 18,Samira 12,Yasmine 12,Leïla 8,Fatoumata 8,Aminata 6,Awa 4,Zoé 16,Éva 18,Rose 10,
Alice 20,Juliette 20,Anna 14,Agathe 10,Ambre 8,Mila 8,Romane 12,Lola 16,Lou 8,Nina 12,Elsa 14,
Audrey 36,Aurore 20,Amandine 28,Angélique 20,Alexandra 24,Cécile 28,Claire 32,Clémence 18,Estelle 18,
Fanny 20,Gaëlle 14,Geneviève 20,Ghislaine 12,Gisèle 14,Jocelyne 22,Joëlle 20,Lucienne 10,Lydie 14,
Magali 20,Maryse 16,Mireille 20,Muriel 22,Myriam 18,Noémie 18,Odile 14,Régine 10,Rolande 6,Sabrina 24,
Séverine 28,Sonia 22,Solange 10,Vanessa 26,Viviane 12,Anne-Marie 30,Marie-Thérèse 18,Marie-Claude 14,
Marie-Christine 16,Marie-France 12,Marie-Hélène 10,Anne-Sophie 12,Marie-Laure 8,Anne-Laure 8,Marie-Ange 6,
Rose-Marie 5,Maryvonne 8
"""

# Most frequent first; a name's weight falls with its rank.
SURNAMES = """
Martin,Bernard,Thomas,Petit,Robert,Richard,Durand,Dubois,Moreau,Laurent,Simon,Michel,Lefebvre,
Leroy,Roux,David,Bertrand,Morel,Fournier,Girard,Bonnet,Dupont,Lambert,Fontaine,Rousseau,Vincent,
Muller,Lefèvre,Faure,André,Mercier,Blanc,Guérin,Boyer,Garnier,Chevalier,François,Legrand,Gauthier,
Garcia,Perrin,Robin,Clément,Morin,Nicolas,Henry,Roussel,Mathieu,Gautier,Masson,Marchand,Duval,
Denis,Dumont,Marie,Lemaire,Noël,Meyer,Dufour,Meunier,Brun,Blanchard,Giraud,Joly,Rivière,Lucas,
Brunet,Gaillard,Barbier,Arnaud,Martinez,Gérard,Roche,Renard,Schmitt,Roy,Leroux,Colin,Vidal,Caron,
Picard,Roger,Fabre,Aubert,Lemoine,Renaud,Dumas,Lacroix,Olivier,Philippe,Bourgeois,Pierre,Benoît,
Rey,Leclerc,Payet,Rolland,Leclercq,Guillaume,Lecomte,Lopez,Jean,Dupuy,Guillot,Hubert,Berger,
Carpentier,Sanchez,Dupuis,Moulin,Louis,Deschamps,Huet,Vasseur,Perez,Boucher,Fleury,Royer,Klein,
Jacquet,Adam,Paris,Poirier,Marty,Aubry,Guyot,Carré,Charles,Renault,Charpentier,Ménard,Maillard,
Baron,Bertin,Bailly,Hervé,Schneider,Fernandez,Le Gall,Collet,Léger,Bouvier,Julien,Prévost,Millet,
Perrot,Daniel,Le Roux,Cousin,Germain,Breton,Besson,Langlois,Rémy,Le Goff,Pelletier,Lévêque,Perrier,
Leblanc,Barré,Lebrun,Marchal,Weber,Mallet,Hamon,Boulanger,Jacob,Monnier,Michaud,Rodriguez,Guichard,
Gillet,Étienne,Grondin,Poulain,Tessier,Chevallier,Collin,Chauvin,Da Silva,Bouchet,Gay,Lemaître,
Bénard,Maréchal,Humbert,Reynaud,Antoine,Hoarau,Perret,Barthélemy,Cordier,Pichon,Lejeune,Gilbert,
Lamy,Delaunay,Pasquier,Carlier,Laporte,Ferreira,Delmas,Bigot,Coste,Dos Santos,Maury,Lebon,Bodin,
Vallée,Gonzalez,Hernandez,Leduc,Guillou,Delattre,Tanguy,Blondel,Regnier,Voisin,Marion,Pons,Chartier,
Diallo,Traoré,Coulibaly,Benali,Ben Salah,Bouzid,Haddad,Mansouri,Belkacem,El Amrani,El Khattabi,
Nguyen,Tran,Pham,N'Diaye,N'Guessan,M'Barek,Da Costa,De Sousa,Pereira,Oliveira,Gomes,Rodrigues,
Ribeiro,Almeida,Rossi,Ferrari,Romano,Santini,Casanova,Colonna,Le Bihan,Le Guen,Le Corre,Le Bris,
Le Meur,Le Floch,Le Bras,L'Hostis,L'Helgouac'h,Kerdoncuff,Quéré,Cariou,Riou,Salaün,Guéguen,Abgrall,
Kervella,Prigent,Jézéquel,Tréguer,D'Hondt,D'Almeida,D'Angelo,Vandamme,Vandenberghe,Dewaele,Deconinck,
Delannoy,Desmet,Vermeulen,Schmidt,Wagner,Hoffmann,Zimmermann,Fischer,Kieffer,Schwartz,Walter,Wolff,
Keller,Heitz,Kuntz,De La Fontaine,De Oliveira,Du Plessis,De Carvalho,Des Essarts,De Saint-Martin,
Saint-Georges,Saint-Jean,Martin-Dupont,Petit-Jean,Grand-Perret,Bon-Mardion,Lopez-Garcia,Durand-Roux,
Blanc-Garin,Favre-Bulle,Dupré La Tour,Arnould,Aubin,Auger,Bachelet,Barbe,Bazin,Béranger,Besnard,Blin,
Bois,Bonneau,Bouquet,Bousquet,Boutin,Briand,Bruneau,Buisson,Camus,Chauvet,Chrétien,Combes,Cornu,
Courtois,Coutant,Delorme,Descamps,Devaux,Didier,Dijoux,Doucet,Duhamel,Dujardin,Dupin,Evrard,Faivre,
Ferrand,Ferry,Fischbach,Forestier,Foucher,Fouquet,Gallet,Gaudin,Georges,Gervais,Gilles,Godard,
Gosselin,Grégoire,Gros,Guibert,Guilbert,Guillet,Hardy,Hébert,Imbert,Jacques,Jacquemin,Jourdan,
Lacombe,Lafon,Lagarde,Launay,Laroche,Lasserre,Leconte,Lefort,Lelièvre,Lenoir,Lesage,Levasseur,
Loiseau,Lombard,Mace,Maillot,Marin,Marquet,Martel,Merle,Navarro,Neveu,Normand,Pascal,Paul,Peltier,
Petitjean,Pineau,Pottier,Poulet,Raymond,Raynaud,Ricard,Rocher,Rose,Rossignol,Sabatier,Salmon,Samson,
Seguin,Serre,Tellier,Texier,Thibault,Toussaint,Tournier,Vaillant,Valentin,Verdier,Vernet,Vial,Viard,
Weiss
"""
