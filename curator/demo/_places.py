"""Communes, countries and streets of the demonstration base: official codes of well-known places.

INSEE codes, postcodes and approximate town-centre coordinates (degrees, WGS 84, 0.01) are facts of the official
geographic code. Populations are rough, in thousands, and serve as weights only.
"""

from __future__ import annotations

# name|INSEE code|postcode|thousands of inhabitants|latitude|longitude
COMMUNES = """
Paris|75056|75001|2100|48.86|2.35
Marseille|13055|13001|870|43.30|5.37
Lyon|69123|69001|520|45.76|4.84
Toulouse|31555|31000|500|43.60|1.44
Nice|06088|06000|340|43.70|7.27
Nantes|44109|44000|320|47.22|-1.55
Montpellier|34172|34000|300|43.61|3.88
Strasbourg|67482|67000|290|48.58|7.75
Bordeaux|33063|33000|260|44.84|-0.58
Lille|59350|59000|235|50.63|3.06
Rennes|35238|35000|220|48.11|-1.68
Reims|51454|51100|180|49.26|4.03
Toulon|83137|83000|178|43.12|5.93
Saint-Étienne|42218|42000|173|45.44|4.39
Le Havre|76351|76600|166|49.49|0.11
Grenoble|38185|38000|158|45.19|5.72
Dijon|21231|21000|159|47.32|5.04
Angers|49007|49000|155|47.47|-0.55
Villeurbanne|69266|69100|152|45.77|4.88
Nîmes|30189|30000|148|43.84|4.36
Clermont-Ferrand|63113|63000|147|45.78|3.08
Le Mans|72181|72000|144|48.00|0.20
Aix-en-Provence|13001|13090|147|43.53|5.45
Brest|29019|29200|139|48.39|-4.49
Tours|37261|37000|137|47.39|0.69
Amiens|80021|80000|134|49.89|2.30
Limoges|87085|87000|130|45.83|1.26
Annecy|74010|74000|128|45.90|6.13
Perpignan|66136|66000|119|42.70|2.90
Metz|57463|57000|120|49.12|6.18
Besançon|25056|25000|118|47.24|6.02
Orléans|45234|45000|117|47.90|1.90
Rouen|76540|76000|113|49.44|1.10
Mulhouse|68224|68100|106|47.75|7.34
Caen|14118|14000|106|49.18|-0.37
Nancy|54395|54000|104|48.69|6.18
Saint-Denis|93066|93200|149|48.94|2.36
Argenteuil|95018|95100|110|48.95|2.25
Montreuil|93048|93100|110|48.86|2.44
Roubaix|59512|59100|98|50.69|3.17
Tourcoing|59599|59200|98|50.72|3.16
Dunkerque|59183|59140|86|51.03|2.38
Avignon|84007|84000|91|43.95|4.81
Poitiers|86194|86000|89|46.58|0.34
Versailles|78646|78000|84|48.80|2.13
Pau|64445|64000|76|43.30|-0.37
La Rochelle|17300|17000|78|46.16|-1.15
Calais|62193|62100|72|50.95|1.86
Cannes|06029|06400|74|43.55|7.01
Antibes|06004|06600|73|43.58|7.12
Béziers|34032|34500|78|43.34|3.22
Colmar|68066|68000|68|48.08|7.36
Bourges|18033|18000|64|47.08|2.40
Quimper|29232|29000|63|48.00|-4.10
Valence|26362|26000|64|44.93|4.89
Troyes|10387|10000|61|48.30|4.08
Chambéry|73065|73000|59|45.57|5.92
Niort|79191|79000|58|46.32|-0.46
Lorient|56121|56100|57|47.75|-3.37
Saint-Nazaire|44184|44600|71|47.27|-2.21
Vannes|56260|56000|54|47.66|-2.76
Cholet|49099|49300|54|47.06|-0.88
Laval|53130|53000|49|48.07|-0.77
Arles|13004|13200|50|43.68|4.63
Évreux|27229|27000|47|49.02|1.15
Belfort|90010|90000|46|47.64|6.86
Charleville-Mézières|08105|08000|46|49.77|4.72
Brive-la-Gaillarde|19031|19100|46|45.16|1.53
Carcassonne|11069|11000|46|43.21|2.35
Narbonne|11262|11100|55|43.18|3.00
Blois|41018|41000|46|47.59|1.33
Saint-Brieuc|22278|22000|44|48.51|-2.76
Châlons-en-Champagne|51108|51000|44|48.96|4.36
Albi|81004|81000|49|43.93|2.15
Castres|81065|81100|42|43.61|2.24
Tarbes|65440|65000|42|43.23|0.08
Montauban|82121|82000|61|44.02|1.35
Angoulême|16015|16000|41|45.65|0.16
Boulogne-sur-Mer|62160|62200|40|50.73|1.61
Arras|62041|62000|42|50.29|2.78
Valenciennes|59606|59300|43|50.36|3.52
Saint-Quentin|02691|02100|53|49.85|3.29
Beauvais|60057|60000|56|49.43|2.08
Compiègne|60159|60200|40|49.42|2.82
Soissons|02722|02200|28|49.38|3.32
Chartres|28085|28000|38|48.45|1.49
Châteauroux|36044|36000|43|46.81|1.69
Nevers|58194|58000|33|46.99|3.16
Auxerre|89024|89000|34|47.80|3.57
Mâcon|71270|71000|34|46.31|4.83
Chalon-sur-Saône|71076|71100|45|46.78|4.85
Bourg-en-Bresse|01053|01000|41|46.21|5.23
Roanne|42187|42300|35|46.04|4.07
Vichy|03310|03200|25|46.13|3.43
Montluçon|03185|03100|33|46.34|2.60
Moulins|03190|03000|19|46.57|3.33
Le Puy-en-Velay|43157|43000|19|45.04|3.88
Aurillac|15014|15000|25|44.93|2.44
Rodez|12202|12000|24|44.35|2.57
Millau|12145|12100|22|44.10|3.08
Mende|48095|48000|12|44.52|3.50
Privas|07186|07000|8|44.74|4.60
Montélimar|26198|26200|39|44.56|4.75
Gap|05061|05000|40|44.56|6.08
Digne-les-Bains|04070|04000|16|44.09|6.24
Manosque|04112|04100|22|43.83|5.79
Draguignan|83050|83300|39|43.54|6.46
Fréjus|83061|83600|57|43.43|6.74
Orange|84087|84100|29|44.14|4.81
Alès|30007|30100|42|44.13|4.08
Sète|34301|34200|44|43.40|3.70
Foix|09122|09000|10|42.97|1.61
Pamiers|09225|09100|16|43.12|1.61
Auch|32013|32000|22|43.65|0.59
Agen|47001|47000|33|44.20|0.62
Mont-de-Marsan|40192|40000|30|43.89|-0.50
Dax|40088|40100|21|43.71|-1.05
Bayonne|64102|64100|52|43.49|-1.47
Périgueux|24322|24000|30|45.18|0.72
Bergerac|24037|24100|27|44.85|0.48
Cahors|46042|46000|20|44.45|1.44
Tulle|19272|19000|15|45.27|1.77
Guéret|23096|23000|13|46.17|1.87
Saintes|17415|17100|26|45.75|-0.63
Rochefort|17299|17300|24|45.94|-0.96
La Roche-sur-Yon|85191|85000|55|46.67|-1.43
Les Sables-d'Olonne|85194|85100|46|46.50|-1.78
Alençon|61001|61000|25|48.43|0.09
Cherbourg-en-Cotentin|50129|50100|78|49.64|-1.62
Saint-Lô|50502|50000|19|49.12|-1.09
Saint-Malo|35288|35400|47|48.65|-2.01
Fougères|35115|35300|20|48.35|-1.20
Dieppe|76217|76200|29|49.92|1.08
Melun|77288|77000|42|48.54|2.66
Meaux|77284|77100|56|48.96|2.88
Évry-Courcouronnes|91228|91000|67|48.63|2.44
Créteil|94028|94000|93|48.79|2.46
Nanterre|92050|92000|97|48.89|2.21
Cergy|95127|95000|68|49.04|2.06
Bobigny|93008|93000|55|48.91|2.44
Chaumont|52121|52000|22|48.11|5.14
Bar-le-Duc|55029|55000|15|48.77|5.16
Verdun|55545|55100|17|49.16|5.38
Épinal|88160|88000|32|48.17|6.45
Vesoul|70550|70000|15|47.62|6.15
Lons-le-Saunier|39300|39000|17|46.67|5.55
Dole|39198|39100|24|47.09|5.49
Thionville|57672|57100|42|49.36|6.17
Haguenau|67180|67500|35|48.82|7.79
Ajaccio|2A004|20000|73|41.92|8.74
Porto-Vecchio|2A247|20137|12|41.59|9.28
Sartène|2A272|20100|3|41.62|8.97
Bastia|2B033|20200|48|42.70|9.45
Corte|2B096|20250|7|42.31|9.15
Calvi|2B050|20260|6|42.57|8.76
Les Abymes|97101|97139|53|16.27|-61.50
Pointe-à-Pitre|97120|97110|15|16.24|-61.53
Basse-Terre|97105|97100|10|16.00|-61.73
Fort-de-France|97209|97200|76|14.60|-61.07
Le Lamentin|97213|97232|40|14.61|-61.00
Cayenne|97302|97300|63|4.94|-52.33
Kourou|97304|97310|24|5.16|-52.65
Saint-Denis|97411|97400|153|-20.88|55.45
Saint-Pierre|97416|97410|85|-21.34|55.48
Saint-Paul|97415|97460|104|-21.01|55.27
Mamoudzou|97611|97600|71|-12.78|45.23
"""

# name|INSEE country code (99 + three digits)|weight; places of birth abroad
COUNTRIES = """
Algérie|99352|60
Maroc|99350|55
Tunisie|99351|25
Portugal|99139|35
Italie|99127|18
Espagne|99134|14
Turquie|99208|14
Sénégal|99341|9
Mali|99335|8
Côte d'Ivoire|99326|8
Cameroun|99322|7
Comores|99397|6
Madagascar|99333|6
Roumanie|99114|6
Pologne|99122|6
Allemagne|99109|9
Belgique|99131|9
Royaume-Uni|99132|8
Suisse|99140|5
Haïti|99410|5
"""

STREETS = """
rue de la République|rue Victor-Hugo|avenue Jean-Jaurès|rue de la Gare|rue des Écoles|rue du Général-de-Gaulle
avenue de la Libération|rue Pasteur|rue Jean-Moulin|place de la Mairie|rue de l'Église|chemin des Vignes|rue du Moulin
allée des Tilleuls|rue des Lilas|impasse des Roses|boulevard Gambetta|rue Émile-Zola|rue du 8-Mai-1945|rue Voltaire
rue du 11-Novembre|avenue du Maréchal-Foch|rue Anatole-France|chemin du Stade|rue Paul-Bert|rue Jules-Ferry
route de Paris|route nationale|rue du Château|rue Neuve|rue Haute|rue Basse|Grande Rue|rue du Port|quai de la Marine
rue des Acacias|rue des Peupliers|allée des Chênes|rue du Stade|rue de Verdun|rue de la Paix|rue de Bretagne
boulevard de Strasbourg|avenue Aristide-Briand|rue Pierre-Curie|rue Marie-Curie|rue Louis-Braille|rue Molière
rue La Fontaine|rue Lamartine|rue George-Sand|rue Claude-Debussy|cours de la Marne|rue des Jardins|rue du Lavoir
rue de la Fontaine|rue des Prés|chemin de Halage|route de Lyon|route du Lac|rue du Four|rue des Remparts
rue Saint-Martin|rue Saint-Jacques|place du Marché|rue des Tanneurs|rue de l'Abbé-Pierre|rue Simone-Veil
"""
