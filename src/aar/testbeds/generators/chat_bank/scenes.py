"""People, objects, places, verbs and topics: what the invented little scenes of the chat testbed are made of.

Nothing here is a fact about the world except the topics, whose advice must fit their own topic and no other.
"""

from __future__ import annotations

PEOPLE = """
Ana she; Ben he; Clara she; David he; Elena she; Felix he; Greta she; Hugo he; Iris she; Jonas he; Karin she; Leo he;
Maria she; Nils he; Olga she; Paul he; Rosa she; Simon he; Tara she; Umar he; Vera she; Walter he; Yara she;
Zoltan he; Alice she; Boris he; Carmen she; Diego he; Edith she; Frank he; Gloria she; Henry he; Ingrid she; Jacob he;
Kira she; Lukas he; Mona she; Nathan he; Opal she; Peter he; Ruth she; Stefan he; Tina she; Victor he; Wendy she;
Xavier he; Yvonne she; Zach he; Amira she; Bruno he; Celia she; Dmitri he; Esther she; Fergus he; Hannah she; Igor he;
Julia she; Kenji he; Laura she; Marco he; Nadia she; Oscar he; Priya she; Rafael he; Sonia she; Tomas he; Ursula she;
Vikram he; Wanda she; Yusuf he; Zelda she; Albert he; Bianca she; Conrad he; Daphne she; Ernest he; Flora she;
Gustav he; Helga she; Ivan he
"""
OBJECTS = """
kite drum lantern umbrella basket compass ladder blanket mirror whistle candle wallet telescope notebook suitcase
helmet rope bucket pillow carpet camera vase puppet hammock typewriter bracelet backpack trophy clock teapot shovel
ribbon saddle toolbox painting stamp necklace thermos microscope cushion stapler radio trumpet raft globe wheelbarrow
chessboard tent calendar envelope flute harness jigsaw kayak magnet napkin oar pendant quilt ruler sandal tablecloth
unicycle violin wagon yacht zip banner crate dagger easel fan goblet inkwell jug kettle ledger
"""
TOWNS = """
Oxbury Halden Marlow Kestrel_Bay Ashford Lindwell Corby Northam Redcliff Stonely Fernhill Brackley Dunmore Eastwick
Farleigh Glenrock Hartwell Ivybridge Kelso Larkspur Millbrook Newbold Oakham Pinehurst Quarley Rothwell Selby Thornton
Upwell Wexcombe Yarrow Alder_Point Birchwood Crowhurst Dovedale Elmstead Foxley Grimsby Hollowell Inverley
Juniper_Creek Kingsmere Longford Mapleton Norwood Otterton Plumstead Ravensworth Sandbach Tilbury Underhill Westray
Amberley Burnside Calder Denholm Edgeworth Foulden Garston Hexley Irthing Jedwood Kirkby Ludlow Monkton Nairn Orley
Penrith Ripley Staveley Tarland Ulverton
"""
VERBS = """
visit visited; paint painted; repair repaired; clean cleaned; study studied; watch watched; cook cooked;
plant planted; carry carried; climb climbed; count counted; deliver delivered; describe described; examine examined;
explore explored; film filmed; gather gathered; guard guarded; inspect inspected; join joined; lift lifted;
measure measured; open opened; pack packed; polish polished; print printed; record recorded; rescue rescued;
search searched; sketch sketched; survey surveyed; test tested; touch touched; trade traded; unlock unlocked;
wash washed; weigh weighed; wrap wrapped; admire admired; borrow borrowed; check checked; draw drew; find found;
buy bought; sell sold; hide hid; lose lost; build built; break broke; steal stole; teach taught; write wrote;
sing sang; drive drove; bring brought
"""
TOPICS = """
growing roses|Prune the stems in late winter and feed the soil with compost.
baking bread|Knead the dough well and let it rise until it has doubled.
learning chess|Control the centre and castle before you start an attack.
training a puppy|Reward it with a treat as soon as it sits on command.
saving money|Set up a monthly transfer to a deposit account on payday.
sleeping better|Keep the bedroom dark and go to bed at the same hour.
running a marathon|Add a few kilometres each week and rest before the race.
painting a wall|Cover the skirting with tape and put on two thin coats.
fixing a bicycle|Oil the chain and check that both brakes grip the rim.
brewing coffee|Grind the beans fresh and pour the water just off the boil.
keeping goldfish|Change a third of the tank water weekly and feed sparingly.
writing a novel|Draft one chapter at a time and revise the plot afterwards.
playing the guitar|Practise the chords slowly and keep your fingers near the strings.
taking photographs|Shoot at sunrise and focus the lens on the nearest subject.
swimming faster|Kick from the hips and breathe on every third stroke.
cleaning windows|Wipe the glass with vinegar and dry it with newspaper.
hosting a party|Send invitations early and prepare the snacks the day before.
giving a speech|Look at the audience and pause after each important point.
passing an exam|Solve past papers and revise the weakest chapters first.
applying for a job|Tailor the resume to the vacancy and rehearse the interview.
camping in a forest|Pitch the tent on flat ground and hang the food from a branch.
knitting a scarf|Cast on thirty stitches and count them after each row.
cooking rice|Rinse the grains and simmer them under a lid for twelve minutes.
growing tomatoes|Tie the vines to a stake and water the roots every morning.
keeping bees|Wear a veil and inspect the hive on a warm afternoon.
riding a horse|Sit tall in the saddle and hold the reins gently.
sailing a boat|Watch the wind and trim the sail before you turn.
learning French|Repeat new vocabulary aloud and listen to radio from Paris.
lowering stress|Breathe slowly and take a short walk without your phone.
moving house|Label each box and book the removal van a month ahead.
choosing a laptop|Compare the memory and battery life before looking at the price.
removing stains|Dab the cloth with cold water and soap and never rub it.
driving on ice|Brake softly and leave a long gap to the car in front.
making cheese|Warm the milk, add rennet and cut the curd into cubes.
lighting a fire|Stack dry kindling loosely and light it from below.
catching trout|Cast the fly upstream and let it drift with the current.
singing in tune|Hum the note first and support it with a deep breath.
washing a car|Start at the roof and rinse the sponge after every panel.
buying a house|Have the roof surveyed and compare mortgage rates.
planning a wedding|Book the venue first and agree on the guest list.
raising chickens|Lock the coop at dusk and scatter grain each morning.
climbing a mountain|Start before dawn, carry a map and turn back in a storm.
treating a cold|Drink warm fluids, rest and use a saline spray for the nose.
setting a budget|List your fixed expenses and cap what you spend on dining out.
drawing portraits|Sketch the oval of the face and place the eyes halfway down.
securing a password|Use a long phrase and switch on two-factor login.
packing a suitcase|Roll the shirts and put the shoes at the bottom.
caring for a cactus|Give it full sun and water it only when the soil is dry.
playing tennis|Bend your knees and follow through on every serve.
making soup|Fry the onions first and add the stock little by little.
studying history|Draw a timeline and compare what different witnesses wrote.
building a shelf|Drill pilot holes and use a spirit level before fixing the brackets.
teaching children|Explain one idea at a time and let them ask questions.
repairing a roof|Replace the cracked tiles and seal the flashing round the chimney.
reading music|Learn the lines of the staff and tap the rhythm with your foot.
recycling at home|Rinse the jars and sort paper, plastic and metal into bins.
shooting a film|Storyboard each scene and record the sound with a separate microphone.
growing apples|Thin the young fruit and prune the orchard while it is dormant.
ironing a shirt|Begin with the collar and spray the cotton while it is damp.
mending a sock|Slip a darning egg inside and weave the thread across the hole.
"""

people: list[tuple[str, ...]] = [(p.split()[0], p.split()[1]) for p in PEOPLE.split(";")]
objects = OBJECTS.split()
towns = [town.replace("_", " ") for town in TOWNS.split()]
verbs: list[tuple[str, ...]] = [(v.split()[0], v.split()[1]) for v in VERBS.split(";")]
topics: list[tuple[str, ...]] = [(t.split("|")[0], t.split("|")[1]) for t in TOPICS.strip().splitlines()]
