package srd

// spellLists are the class spell lists of the SRD 5.1, typed in again list by list and class by class, while the data
// file has them spell by spell: a mistake would have to be made twice. The first entry of a class are its cantrips.
var spellLists = map[string][10]string{
	"bard": {
		`dancing-lights light mage-hand mending message minor-illusion prestidigitation true-strike
			vicious-mockery`,
		`animal-friendship bane charm-person comprehend-languages cure-wounds detect-magic disguise-self
			faerie-fire feather-fall healing-word heroism hideous-laughter identify illusory-script longstrider
			silent-image sleep speak-with-animals thunderwave unseen-servant`,
		`animal-messenger blindness-deafness calm-emotions detect-thoughts enhance-ability enthrall heat-metal
			hold-person invisibility knock lesser-restoration locate-animals-or-plants locate-object magic-mouth
			see-invisibility shatter silence suggestion zone-of-truth`,
		`bestow-curse clairvoyance dispel-magic fear glyph-of-warding hypnotic-pattern major-image nondetection
			plant-growth sending speak-with-dead speak-with-plants stinking-cloud tiny-hut tongues`,
		`compulsion confusion dimension-door freedom-of-movement greater-invisibility hallucinatory-terrain
			locate-creature polymorph`,
		`animate-objects awaken dominate-person dream geas greater-restoration hold-monster legend-lore
			mass-cure-wounds mislead modify-memory planar-binding raise-dead scrying seeming teleportation-circle`,
		`eyebite find-the-path guards-and-wards irresistible-dance mass-suggestion programmed-illusion
			true-seeing`,
		`arcane-sword etherealness forcecage magnificent-mansion mirage-arcane project-image regenerate
			resurrection symbol teleport`,
		"dominate-monster feeblemind glibness mind-blank power-word-stun",
		"foresight power-word-kill true-polymorph",
	},
	"cleric": {
		"guidance light mending resistance sacred-flame spare-the-dying thaumaturgy",
		`bane bless command create-or-destroy-water cure-wounds detect-evil-and-good detect-magic
			detect-poison-and-disease guiding-bolt healing-word inflict-wounds protection-from-evil-and-good
			purify-food-and-drink sanctuary shield-of-faith`,
		`aid augury blindness-deafness calm-emotions continual-flame enhance-ability find-traps gentle-repose
			hold-person lesser-restoration locate-object prayer-of-healing protection-from-poison silence
			spiritual-weapon warding-bond zone-of-truth`,
		`animate-dead beacon-of-hope bestow-curse clairvoyance create-food-and-water daylight dispel-magic
			glyph-of-warding magic-circle mass-healing-word meld-into-stone protection-from-energy remove-curse
			revivify sending speak-with-dead spirit-guardians tongues water-walk`,
		`banishment control-water death-ward divination freedom-of-movement guardian-of-faith locate-creature
			stone-shape`,
		`commune contagion dispel-evil-and-good flame-strike geas greater-restoration hallow insect-plague
			legend-lore mass-cure-wounds planar-binding raise-dead scrying`,
		`blade-barrier create-undead find-the-path forbiddance harm heal heroes-feast planar-ally true-seeing
			word-of-recall`,
		"conjure-celestial divine-word etherealness fire-storm plane-shift regenerate resurrection symbol",
		"antimagic-field control-weather earthquake holy-aura",
		"astral-projection gate mass-heal true-resurrection",
	},
	"druid": {
		"druidcraft guidance mending poison-spray produce-flame resistance shillelagh",
		`animal-friendship charm-person create-or-destroy-water cure-wounds detect-magic
			detect-poison-and-disease entangle faerie-fire fog-cloud goodberry healing-word jump longstrider
			purify-food-and-drink speak-with-animals thunderwave`,
		`animal-messenger barkskin darkvision enhance-ability find-traps flame-blade flaming-sphere gust-of-wind
			heat-metal hold-person lesser-restoration locate-animals-or-plants locate-object moonbeam
			pass-without-trace protection-from-poison spike-growth`,
		`call-lightning conjure-animals daylight dispel-magic meld-into-stone plant-growth protection-from-energy
			sleet-storm speak-with-plants water-breathing water-walk wind-wall`,
		`blight confusion conjure-minor-elementals conjure-woodland-beings control-water dominate-beast
			freedom-of-movement giant-insect hallucinatory-terrain ice-storm locate-creature polymorph stone-shape
			stoneskin wall-of-fire`,
		`antilife-shell awaken commune-with-nature conjure-elemental contagion geas greater-restoration
			insect-plague mass-cure-wounds planar-binding reincarnate scrying tree-stride wall-of-stone`,
		`conjure-fey find-the-path heal heroes-feast move-earth sunbeam transport-via-plants wall-of-thorns
			wind-walk`,
		"fire-storm mirage-arcane plane-shift regenerate reverse-gravity",
		"animal-shapes antipathy-sympathy control-weather earthquake feeblemind sunburst",
		"foresight shapechange storm-of-vengeance true-resurrection",
	},
	"paladin": {
		"",
		`bless command cure-wounds detect-evil-and-good detect-magic detect-poison-and-disease divine-favor
			heroism protection-from-evil-and-good purify-food-and-drink shield-of-faith`,
		`aid branding-smite find-steed lesser-restoration locate-object magic-weapon protection-from-poison
			zone-of-truth`,
		"create-food-and-water daylight dispel-magic magic-circle remove-curse revivify",
		"banishment death-ward locate-creature",
		"dispel-evil-and-good geas raise-dead",
		"",
		"",
		"",
		"",
	},
	"ranger": {
		"",
		`alarm animal-friendship cure-wounds detect-magic detect-poison-and-disease fog-cloud goodberry
			hunters-mark jump longstrider speak-with-animals`,
		`animal-messenger barkskin darkvision find-traps lesser-restoration locate-animals-or-plants
			locate-object pass-without-trace protection-from-poison silence spike-growth`,
		`conjure-animals daylight nondetection plant-growth protection-from-energy speak-with-plants
			water-breathing water-walk wind-wall`,
		"conjure-woodland-beings freedom-of-movement locate-creature stoneskin",
		"commune-with-nature tree-stride",
		"",
		"",
		"",
		"",
	},
	"sorcerer": {
		`acid-splash chill-touch dancing-lights fire-bolt light mage-hand mending message minor-illusion
			poison-spray prestidigitation ray-of-frost shocking-grasp true-strike`,
		`burning-hands charm-person color-spray comprehend-languages detect-magic disguise-self
			expeditious-retreat false-life feather-fall fog-cloud jump mage-armor magic-missile shield silent-image
			sleep thunderwave`,
		`alter-self blindness-deafness blur darkness darkvision detect-thoughts enhance-ability enlarge-reduce
			gust-of-wind hold-person invisibility knock levitate mirror-image misty-step scorching-ray
			see-invisibility shatter spider-climb suggestion web`,
		`blink clairvoyance counterspell daylight dispel-magic fear fireball fly gaseous-form haste
			hypnotic-pattern lightning-bolt major-image protection-from-energy sleet-storm slow stinking-cloud
			tongues water-breathing water-walk`,
		`banishment blight confusion dimension-door dominate-beast greater-invisibility ice-storm polymorph
			stoneskin wall-of-fire`,
		`animate-objects cloudkill cone-of-cold creation dominate-person hold-monster insect-plague seeming
			telekinesis teleportation-circle wall-of-stone`,
		`chain-lightning circle-of-death disintegrate eyebite globe-of-invulnerability mass-suggestion move-earth
			sunbeam true-seeing`,
		`delayed-blast-fireball etherealness finger-of-death fire-storm plane-shift prismatic-spray
			reverse-gravity teleport`,
		"dominate-monster earthquake incendiary-cloud power-word-stun sunburst",
		"gate meteor-swarm power-word-kill time-stop wish",
	},
	"warlock": {
		"chill-touch eldritch-blast mage-hand minor-illusion poison-spray prestidigitation true-strike",
		`charm-person comprehend-languages expeditious-retreat hellish-rebuke illusory-script
			protection-from-evil-and-good unseen-servant`,
		`darkness enthrall hold-person invisibility mirror-image misty-step ray-of-enfeeblement shatter
			spider-climb suggestion`,
		`counterspell dispel-magic fear fly gaseous-form hypnotic-pattern magic-circle major-image remove-curse
			tongues vampiric-touch`,
		"banishment blight dimension-door hallucinatory-terrain",
		"contact-other-plane dream hold-monster scrying",
		"circle-of-death conjure-fey create-undead eyebite flesh-to-stone mass-suggestion true-seeing",
		"etherealness finger-of-death forcecage plane-shift",
		"demiplane dominate-monster feeblemind glibness power-word-stun",
		"astral-projection foresight imprisonment power-word-kill true-polymorph",
	},
	"wizard": {
		`acid-splash chill-touch dancing-lights fire-bolt light mage-hand mending message minor-illusion
			poison-spray prestidigitation ray-of-frost shocking-grasp true-strike`,
		`alarm burning-hands charm-person color-spray comprehend-languages detect-magic disguise-self
			expeditious-retreat false-life feather-fall find-familiar floating-disk fog-cloud grease
			hideous-laughter identify illusory-script jump longstrider mage-armor magic-missile
			protection-from-evil-and-good shield silent-image sleep thunderwave unseen-servant`,
		`acid-arrow alter-self arcane-lock arcanists-magic-aura blindness-deafness blur continual-flame darkness
			darkvision detect-thoughts enlarge-reduce flaming-sphere gentle-repose gust-of-wind hold-person
			invisibility knock levitate locate-object magic-mouth magic-weapon mirror-image misty-step
			ray-of-enfeeblement rope-trick scorching-ray see-invisibility shatter spider-climb suggestion web`,
		`animate-dead bestow-curse blink clairvoyance counterspell dispel-magic fear fireball fly gaseous-form
			glyph-of-warding haste hypnotic-pattern lightning-bolt magic-circle major-image nondetection
			phantom-steed protection-from-energy remove-curse sending sleet-storm slow stinking-cloud tiny-hut
			tongues vampiric-touch water-breathing`,
		`arcane-eye banishment black-tentacles blight confusion conjure-minor-elementals control-water
			dimension-door fabricate faithful-hound fire-shield greater-invisibility hallucinatory-terrain ice-storm
			locate-creature phantasmal-killer polymorph private-sanctum resilient-sphere secret-chest stone-shape
			stoneskin wall-of-fire`,
		`animate-objects arcane-hand cloudkill cone-of-cold conjure-elemental contact-other-plane creation
			dominate-person dream geas hold-monster legend-lore mislead modify-memory passwall planar-binding
			scrying seeming telekinesis telepathic-bond teleportation-circle wall-of-force wall-of-stone`,
		`chain-lightning circle-of-death contingency create-undead disintegrate eyebite flesh-to-stone
			freezing-sphere globe-of-invulnerability guards-and-wards instant-summons irresistible-dance magic-jar
			mass-suggestion move-earth programmed-illusion sunbeam true-seeing wall-of-ice`,
		`arcane-sword delayed-blast-fireball etherealness finger-of-death forcecage magnificent-mansion
			mirage-arcane plane-shift prismatic-spray project-image reverse-gravity sequester simulacrum symbol
			teleport`,
		`antimagic-field antipathy-sympathy clone control-weather demiplane dominate-monster feeblemind
			incendiary-cloud maze mind-blank power-word-stun sunburst`,
		`astral-projection foresight gate imprisonment meteor-swarm power-word-kill prismatic-wall shapechange
			time-stop true-polymorph weird wish`,
	},
}
