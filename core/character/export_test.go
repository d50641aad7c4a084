package character

// What the tests of the service share with those of the rules.
var (
	Tordek       = tordek
	Human        = human
	DraftOf      = build
	Scores       = scores
	AbilityOrder = abilityOrder
	ViolationsOf = violationsOf
	Refused      = refused
)
