package srd

import (
	"fmt"
	"strings"
)

// weaponTable is the SRD's table of weapons as weaponLine writes its lines.
var weaponTable = map[string]string{
	"club":           "10 2 1d4b light",
	"dagger":         "200 1 1d4p finesse,light,thrown 20/60",
	"greatclub":      "20 10 1d8b two-handed",
	"handaxe":        "500 2 1d6s light,thrown 20/60",
	"javelin":        "50 2 1d6p thrown 30/120",
	"light-hammer":   "200 2 1d4b light,thrown 20/60",
	"mace":           "500 4 1d6b",
	"quarterstaff":   "20 4 1d6b versatile 1d8",
	"sickle":         "100 2 1d4s light",
	"spear":          "100 3 1d6p thrown,versatile 20/60 1d8",
	"light-crossbow": "2500 5 1d8p ammunition,loading,two-handed 80/320",
	"dart":           "5 0.25 1d4p finesse,thrown 20/60",
	"shortbow":       "2500 2 1d6p ammunition,two-handed 80/320",
	"sling":          "10 0 1d4b ammunition 30/120",
	"battleaxe":      "1000 4 1d8s versatile 1d10",
	"flail":          "1000 2 1d8b",
	"glaive":         "2000 6 1d10s heavy,reach,two-handed",
	"greataxe":       "3000 7 1d12s heavy,two-handed",
	"greatsword":     "5000 6 2d6s heavy,two-handed",
	"halberd":        "2000 6 1d10s heavy,reach,two-handed",
	"lance":          "1000 6 1d12p reach,special",
	"longsword":      "1500 3 1d8s versatile 1d10",
	"maul":           "1000 10 2d6b heavy,two-handed",
	"morningstar":    "1500 4 1d8p",
	"pike":           "500 18 1d10p heavy,reach,two-handed",
	"rapier":         "2500 2 1d8p finesse",
	"scimitar":       "2500 3 1d6s finesse,light",
	"shortsword":     "1000 2 1d6p finesse,light",
	"trident":        "500 4 1d6p thrown,versatile 20/60 1d8",
	"war-pick":       "500 2 1d8p",
	"warhammer":      "1500 2 1d8b versatile 1d10",
	"whip":           "200 3 1d4s finesse,reach",
	"blowgun":        "1000 1 1d1p ammunition,loading 25/100",
	"hand-crossbow":  "7500 3 1d6p ammunition,light,loading 30/120",
	"heavy-crossbow": "5000 18 1d10p ammunition,heavy,loading,two-handed 100/400",
	"longbow":        "5000 2 1d8p ammunition,heavy,two-handed 150/600",
	"net":            "100 3 special,thrown 5/15",
}

// weaponLine writes what a weapon's line of the table says.
func weaponLine(i Item) string {
	w := i.Weapon
	parts := []string{fmt.Sprint(i.CostCP), fmt.Sprint(i.Weight)}
	if d := w.Damage; d != nil {
		parts = append(parts, fmt.Sprintf("%dd%d%c", d.Count, d.Sides, d.Type[0]))
	}
	if len(w.Properties) > 0 {
		parts = append(parts, strings.Join(w.Properties, ","))
	}
	if w.Range > 0 {
		parts = append(parts, fmt.Sprintf("%d/%d", w.Range, w.LongRange))
	}
	if d := w.Versatile; d != nil {
		parts = append(parts, fmt.Sprintf("%dd%d", d.Count, d.Sides))
	}
	return strings.Join(parts, " ")
}
