package srd

// LanguageKind says who may learn a language.
type LanguageKind string

const (
	// StandardLanguage is a language that most characters may choose.
	StandardLanguage LanguageKind = "standard"
	// ExoticLanguage is a language of far or other-worldly creatures. The SRD leaves the choice of one to the game
	// master; here it can be chosen like a standard one.
	ExoticLanguage LanguageKind = "exotic"
	// SecretLanguage is a language that a class teaches its members and that nobody can choose.
	SecretLanguage LanguageKind = "secret"
)

// Language is a language that a character can know.
type Language struct {
	Slug     string
	Name     string
	Kind     LanguageKind
	Speakers []string // who typically speaks it
	Script   string   // the slug of the language whose letters it is written in; empty for none of its own
	Text     string   // in own words; empty where there is nothing to add
}

// Choosable tells whether a race or background that offers a language of choice may offer this one.
func (l Language) Choosable() bool { return l.Kind != SecretLanguage }

var languages = newTable("languages.json", func(l Language) string { return l.Slug })

// Languages returns every language, sorted by slug. The slice is shared: do not write to it.
func Languages() []Language { return languages.all() }

// FindLanguage returns the language with the slug, and whether there is one.
func FindLanguage(slug string) (Language, bool) { return languages.find(slug) }

// ChoosableLanguages returns the slugs of the standard and exotic languages, sorted: what a choice of a language is
// made from. The slice is the caller's own.
func ChoosableLanguages() []string {
	var slugs []string
	for _, l := range Languages() {
		if l.Choosable() {
			slugs = append(slugs, l.Slug)
		}
	}
	return slugs
}
