"""English words that slip into Chinese captions and are no brand: moods, qualities, things.

Written by hand for this project. In English captions they tell nothing.
"""

_SLIPS = """
    abandoned abundant adorned adventurous airy alert aligned alley alone amusing antique
    apparel appealing appliance appliances apron aprons artistic artwork assorted attentive
    attractive autumn autumnal backdrop bakery bald bamboo banners barn barrel barrels baskets
    bathroom bathtub beads beams beard bearded bedroom bent beverage birch blank blankets
    blooming blossoms blouse bold bone bookshelf bored bow bowls bracelet brightness broken
    bubbles bulb bulbs buttons calmness candles canvas caps caption carefree carpets carving
    cattle cautious celebration chalk charming cheerful cheerfully chic chicken chimney chimneys
    chopsticks classic classical clay cleaning cleanliness clever cliff cliffs climbing clock
    clouded coastal cobbled collars colourless comfort comfortable comfy composition
    concentrated concentration confident contemplative contemporary contrast cooking corridor
    costume costumes cosy cottage cotton countryside cozy crafted crane cranes crate crates
    creamy creative crisp crossing crosswalk crystal curious curly cushion cushions customers
    cycling dancing daytime decor decoration delicate delicious delight delightful designs
    dessert detail diners dirty dishes doll dolls dough dramatic drawer drawers drawing dreamy
    drink drinking drinks drums dust dusty dynamic eager earrings ears eating elegance elegantly
    embroidered energetic energy engaged engine enjoy enjoyable enjoying enormous enthusiastic
    environment everyday evocative excited excitement exciting exotic expansive expression
    expressive exterior eyebrows eyeglasses fabric fallen familiar fancy fantastic farmer
    fascinating fashionable festive fierce fisherman flame flames flooring flour focused fog
    foggy folded forehead fork fountains fragile fragrant freshness friend friendly friends
    fruity funny furry fuzzy gardens gathering gentleness gesture glamorous gleaming glossy
    gloves glow glowing graceful gracefully grain grand grandmother grapes greenery grilled
    grocery guests guitar gym hallway handbag handmade handrail handsome happily happiness
    harmonious harmony harvest heart helmets herbs historic historical homely hooded hoodie
    household housing humble humid icy idyllic illuminated imposing impression impressive
    inclined industrial informal innocent inspiring interesting interior intimate inviting joy
    joyful joyfully kettle keyboard kid kids kneeling knees knife ladder landmark lantern
    lanterns laugh laughing laughter layered layers layout lazy leisure leisurely lemon lemons
    lettuce library lifestyle lighting lightweight lipstick loneliness lonely lovely luggage
    luxurious luxury magical magnificent majestic mannequin mask masks mast mat matching meadow
    meal meals meat mechanical medieval melancholy merchandise messy metallic microphone mild
    minimalist mirrored mist modest monochrome mood moody morning motion motorbike mud muddy mug
    mugs muscles museum music musical musician musicians mustache muted mysterious mystical nail
    nails napkin nature neck necklace neighborhood neighbourhood nice noodles noon nose
    nostalgia nostalgic notebook notebooks obvious orderly ordinary organized ornament
    ornamental ornaments overlooking packages packaging packed paintings pajamas pan panoramic
    passengers pasture patch patches patient peace peacefully pen pencil pencils pens performers
    perspective pet picturesque pigeon pigeons pile piled pillow pillows pine pineapple plaza
    pleasing plush pocket pockets polished polka porch portrait posing potato potatoes potted
    powerful precious pretty professional proud puddle puddles pumpkin quaint quality rack racks
    radiant railway rainbow rainy raw reading ready refreshing relax relaxation relaxed relaxing
    reliable remote residential residents rich ripe rising romantic roses rough rounded royal
    rubber rugged ruined rusted rusty sad sadness sailboat sails salad salt sandals sandwich
    satisfied scarf scarves scary scenic school scooter screen sculpture sculptures seagrass
    seagull seagulls seaside seasonal secluded serenity serious shaded shadowy shallow sharp
    sharply shelter shiny shopping shore shoreline shoulders showcase shutters shy silence
    silent silhouette silhouettes silk silky simplicity sink skateboard sketch skull skyline
    skyscraper skyscrapers sleek sleepy sleeve sleeves slide slight slippers slow smiles smoke
    smoky smoothness sneakers soap socks softness solar solemn solid solitary solitude soothing
    sophisticated soup spacious sparkling sparse spectacular spectators spice spices spoon
    spoons spotless sprawling spring squirrel stadium staircase stall stalls station steady
    steam steaming stickers stocked stormy strap straps striking strong stunning sturdy stylish
    subject subtle suburban sunglasses sunrise sunshine surfboard surprised surreal swan sweater
    sweaters sweet swimming swing swings symmetrical symmetry tableware tank tasty tattoo
    tattoos teapot tender tense texture textures thoughtful tidy tie ties timber timeless tired
    tomato tomatoes tool tools topped tourist tourists towel towels towering towers toys tractor
    tranquil tranquility transparent travelers tray trays trendy tropical tunnel twilight
    twisted typical unfinished unique unusual upright vacant valley vases vast vegetable veil
    vendor vendors veranda vessel vest vibrancy vibrantly views villagers vines violin vivid
    volleyball waiter waiting walker walkway warehouse warm warmly warmth washed watch watches
    watching waterfall watery weather wedding weeds wheat wheelchair whimsical wicker wildlife
    wind winding windy wine wings wintry wonderful wool woolen workers workshop worn wrapped
    wrinkled wrinkles youthful zebra
    """

SLIPS = frozenset(_SLIPS.split())
"""Those that `vocabulary.COMMON` lacks, in lower case."""
