"""World facts as plain tables: countries, opposite words, colours, kinds of things, units, translations, crafts.

Parsed from text blocks at import. Each row belongs to one shelf of `shelves.py`, so no row is both trained and tested
on. A table lists only facts that hold without a footnote; it knows nothing about prompts or splits.
"""

from __future__ import annotations


def _rows(block: str) -> list[tuple[str, ...]]:
    """'a b_c; d e' -> [('a', 'b c'), ('d', 'e')]: a semicolon ends a row, a blank a field; _ stands for a blank."""
    return [tuple(field.replace("_", " ") for field in row.split()) for row in block.split(";") if row.strip()]


COUNTRIES = _rows("""
France Paris Europe; Italy Rome Europe; Spain Madrid Europe; Germany Berlin Europe; Portugal Lisbon Europe;
Austria Vienna Europe; Greece Athens Europe; Poland Warsaw Europe; Hungary Budapest Europe; Norway Oslo Europe;
Sweden Stockholm Europe; Finland Helsinki Europe; Denmark Copenhagen Europe; Ireland Dublin Europe;
Belgium Brussels Europe; Romania Bucharest Europe; Bulgaria Sofia Europe; Serbia Belgrade Europe; Ukraine Kyiv Europe;
Croatia Zagreb Europe; Iceland Reykjavik Europe; Estonia Tallinn Europe; Latvia Riga Europe; Lithuania Vilnius Europe;
Albania Tirana Europe; Slovakia Bratislava Europe; Slovenia Ljubljana Europe; Japan Tokyo Asia; China Beijing Asia;
India New_Delhi Asia; Thailand Bangkok Asia; Vietnam Hanoi Asia; Iran Tehran Asia; Iraq Baghdad Asia;
Syria Damascus Asia; Lebanon Beirut Asia; Jordan Amman Asia; Nepal Kathmandu Asia; Pakistan Islamabad Asia;
Bangladesh Dhaka Asia; Afghanistan Kabul Asia; Mongolia Ulaanbaatar Asia; Qatar Doha Asia; Malaysia Kuala_Lumpur Asia;
Cambodia Phnom_Penh Asia; Laos Vientiane Asia; Uzbekistan Tashkent Asia; Oman Muscat Asia; Egypt Cairo Africa;
Kenya Nairobi Africa; Ethiopia Addis_Ababa Africa; Ghana Accra Africa; Senegal Dakar Africa; Uganda Kampala Africa;
Sudan Khartoum Africa; Somalia Mogadishu Africa; Libya Tripoli Africa; Tunisia Tunis Africa; Morocco Rabat Africa;
Mali Bamako Africa; Zambia Lusaka Africa; Zimbabwe Harare Africa; Angola Luanda Africa; Rwanda Kigali Africa;
Namibia Windhoek Africa; Nigeria Abuja Africa; Madagascar Antananarivo Africa; Mozambique Maputo Africa;
Peru Lima South_America; Chile Santiago South_America; Argentina Buenos_Aires South_America;
Colombia Bogota South_America; Venezuela Caracas South_America; Ecuador Quito South_America;
Uruguay Montevideo South_America; Paraguay Asuncion South_America; Brazil Brasilia South_America;
Canada Ottawa North_America; Cuba Havana North_America; Jamaica Kingston North_America;
Haiti Port-au-Prince North_America; Honduras Tegucigalpa North_America; Nicaragua Managua North_America;
Barbados Bridgetown North_America
""")
"""(country, capital, continent)"""

OPPOSITES = _rows(
    """
hot cold; early late; rich poor; strong weak; open closed; full empty; happy sad; brave cowardly; loud quiet;
deep shallow; wide narrow; thick thin; heavy light; rough smooth; sharp blunt; cheap expensive; clean dirty;
wet dry; young old; fast slow; tall short; noisy silent; generous stingy; polite rude; simple complicated;
guilty innocent;
ancient modern; public private; safe dangerous; tight loose; sweet bitter; awake asleep; alive dead; bright dim;
buy sell; win lose; arrive depart; accept reject; increase decrease; build destroy; laugh cry; push pull;
begin finish; remember forget; love hate; borrow lend; attack defend; raise lower; inside outside; above below;
victory defeat; friend enemy; success failure; hope despair; entrance exit; north south; summer winter; day night;
question answer; teacher student; profit loss; peace war; major minor; wild tame; ripe unripe;
lazy hardworking; humble arrogant; rare common; fresh stale; straight crooked; temporary permanent; visible invisible;
praise blame; expand shrink; hire fire; permit forbid; float sink; melt freeze; send receive; lead follow; hide reveal
"""
)
"""(word, its opposite)"""

COLOURS = _rows("""
ripe_banana yellow; lemon yellow; canary yellow; sunflower yellow; dandelion yellow; egg_yolk yellow;
sweetcorn yellow; buttercup yellow; daffodil yellow; mustard yellow; strawberry red; tomato red; cherry red;
ladybird red; raspberry red; ruby red; poppy red; fire_engine red; blood red; beetroot_stain red; spinach green;
cucumber green; emerald green; grass green; broccoli green; lettuce green; pea green; lime green; parsley green;
shamrock green; clear_sky blue; sapphire blue; cornflower blue; blueberry blue; bluebell blue; swimming_pool blue;
kingfisher blue; snow white; milk white; swan white; chalk white; salt white; cauliflower white; polar_bear white;
cotton white; daisy_petal white; coal black; raven black; crow black; tar black; panther black; soot black;
liquorice black; carrot orange; tangerine orange; pumpkin orange; apricot orange; monarch_butterfly orange;
aubergine purple; lavender purple; amethyst purple; plum_skin purple; chocolate brown; coffee_bean brown;
chestnut brown; walnut_shell brown; mud brown; cinnamon brown; flamingo pink; salmon_fillet pink; piglet pink;
elephant grey; dolphin grey; rain_cloud grey
""")
"""(thing, its usual colour)"""

_KINDS = """
bird: sparrow robin eagle heron owl falcon pelican magpie penguin vulture woodpecker nightingale
fish: trout cod herring tuna sardine mackerel pike carp haddock sturgeon anchovy perch
insect: ant bee wasp moth cricket mosquito termite grasshopper dragonfly cockroach firefly locust
tree: oak pine birch willow maple cedar beech spruce elm poplar larch sycamore
flower: tulip orchid lily iris peony carnation geranium petunia begonia marigold primrose camellia
vegetable: turnip cabbage leek parsnip celery radish kale asparagus courgette artichoke fennel shallot
fruit: pear peach mango papaya melon pineapple kiwi grapefruit nectarine fig guava pomegranate
instrument: violin flute trumpet cello harp clarinet guitar trombone banjo oboe accordion piano
tool: hammer saw chisel wrench pliers screwdriver axe drill spanner crowbar mallet trowel
vehicle: lorry tram bicycle taxi motorcycle scooter tractor ambulance minibus caravan limousine van
garment: jacket scarf glove shirt skirt jumper cardigan trousers sock waistcoat blouse raincoat
profession: plumber lawyer surgeon baker architect dentist librarian electrician pharmacist journalist carpenter
sport: tennis hockey rugby badminton volleyball fencing rowing judo basketball golf wrestling
metal: iron copper zinc nickel aluminium titanium tin platinum tungsten cobalt mercury
furniture: sofa wardrobe armchair bookcase bed stool sideboard desk bench cupboard footstool table
drink: tea lemonade cider beer whisky cocoa wine rum espresso milkshake vodka gin
"""
THINGS: list[tuple[str, ...]] = [
    (word, kind) for kind, words in (line.split(":") for line in _KINDS.strip().splitlines()) for word in words.split()
]
"""(thing, the kind of thing it is)"""

MEASURES = _rows("""
suitcase weighs kilograms; marathon lasts hours; flagpole reaches metres; bathtub holds litres;
newborn weighs kilograms; film lasts minutes; ladder reaches metres; bucket holds litres; boulder weighs tonnes;
lesson lasts minutes; lighthouse reaches metres; kettle holds litres; cannon weighs tonnes; concert lasts hours;
church_tower reaches metres; barrel holds litres; anvil weighs kilograms; voyage lasts weeks; mountain reaches metres;
watering_can holds litres; piano_crate weighs kilograms; holiday lasts weeks; crane reaches metres;
fuel_tank holds litres; ox weighs kilograms; siesta lasts minutes; skyscraper reaches metres; teapot holds litres;
bulldozer weighs tonnes; opera lasts hours; chimney reaches metres; aquarium holds litres; whale weighs tonnes;
lecture lasts minutes; obelisk reaches metres; saucepan holds litres; tank_engine weighs tonnes; siege lasts weeks;
windmill reaches metres; flask holds litres; statue weighs tonnes; ceremony lasts hours; pylon reaches metres;
cauldron holds litres; locomotive weighs tonnes; semester lasts weeks; hedge reaches metres; rain_barrel holds litres
""")
"""(thing, the verb of its measure, the unit)"""

WORDS = _rows("""
dog chien perro Hund; cat chat gato Katze; house maison casa Haus; bread pain pan Brot; water eau agua Wasser;
book livre libro Buch; milk lait leche Milch; tree arbre árbol Baum; sun soleil sol Sonne; moon lune luna Mond;
friend ami amigo Freund; school école escuela Schule; street rue calle Straße; bird oiseau pájaro Vogel;
fish poisson pescado Fisch; apple pomme manzana Apfel; chair chaise silla Stuhl; door porte puerta Tür;
window fenêtre ventana Fenster; flower fleur flor Blume; king roi rey König; queen reine reina Königin;
child enfant niño Kind; woman femme mujer Frau; man homme hombre Mann; city ville ciudad Stadt;
river fleuve río Fluss; sea mer mar Meer; sky ciel cielo Himmel; fire feu fuego Feuer; night nuit noche Nacht;
day jour día Tag; week semaine semana Woche; year année año Jahr; heart cœur corazón Herz; hand main mano Hand;
head tête cabeza Kopf; eye œil ojo Auge; shoe chaussure zapato Schuh; hat chapeau sombrero Hut;
horse cheval caballo Pferd; cow vache vaca Kuh; cheese fromage queso Käse; egg œuf huevo Ei; snow neige nieve Schnee;
rain pluie lluvia Regen; bridge pont puente Brücke; church église iglesia Kirche; key clé llave Schlüssel;
knife couteau cuchillo Messer; spring printemps primavera Frühling; winter hiver invierno Winter;
love amour amor Liebe; work travail trabajo Arbeit; money argent dinero Geld
""")
"""(English, French, Spanish, German)"""


CRAFTS = _rows("""
nurse patients; pilot aeroplanes; farmer crops; tailor suits; butcher meat; miner coal; chemist acids;
barber haircuts; banker loans; singer songs; gardener lawns; waiter menus; fisherman nets; postman parcels;
jeweller diamonds; shepherd sheep; actor plays; bricklayer walls; glazier panes; hairdresser curls; mechanic engines;
notary contracts; optician spectacles; potter clay; rancher cattle; sculptor marble; translator languages;
weaver looms; astronomer galaxies; beekeeper honey; firefighter blazes; historian archives; illustrator cartoons;
locksmith locks; midwife births; novelist chapters; organist hymns; photographer portraits; roofer tiles;
soldier weapons; teacher pupils; umpire matches_and_rules; brewer ale; detective crimes; goldsmith rings;
publisher magazines; surveyor boundaries; trainer athletes; zookeeper animals; tanner leather; cooper barrels
""")
"""(profession, what it deals with)"""
