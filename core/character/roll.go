package character

import (
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/character/dice"
)

// Roll is a roll of dice that this server made. Nothing of it changes but UsedBy.
type Roll struct {
	ID uuid.UUID
	// Notation is what was rolled, in its normal form ("4d6dl1"); Rolls are the results, one for each repetition.
	Notation string
	Rolls    []dice.Result
	// Seed is the text that the dice follow from; Own is set when the server chose it.
	Seed string
	Own  bool
	// Author is the user who asked for it, Created when, in UTC with microseconds.
	Author  string
	Created time.Time
	// UsedBy is the character whose ability scores it gave; uuid.Nil while none did.
	UsedBy uuid.UUID
}

type resultDocument struct {
	Dice    []int `json:"dice"`
	Dropped []int `json:"dropped"`
	Total   int   `json:"total"`
}

type storedRoll struct {
	Version  int              `json:"version"`
	ID       uuid.UUID        `json:"rollid"`
	Notation string           `json:"notation"`
	Rolls    []resultDocument `json:"rolls"`
	Seed     string           `json:"seed"`
	Own      bool             `json:"own"`
	Author   string           `json:"author"`
	Created  string           `json:"created"`
}

// EncodeRoll gives the document that a store keeps of r: JSON in one line, without UsedBy.
func EncodeRoll(r Roll) []byte {
	d := storedRoll{Version: storedVersion, ID: r.ID, Notation: r.Notation, Rolls: resultsOf(r.Rolls), Seed: r.Seed, Own: r.Own, Author: r.Author,
		Created: formatTime(r.Created)}
	return marshal(d)
}

// DecodeRoll reads what EncodeRoll wrote.
func DecodeRoll(body []byte) (Roll, error) {
	var d storedRoll
	if err := unmarshal(body, &d); err != nil {
		return Roll{}, err
	}
	r := Roll{ID: d.ID, Notation: d.Notation, Seed: d.Seed, Own: d.Own, Author: d.Author}
	for _, result := range d.Rolls {
		if len(result.Dropped) == 0 {
			result.Dropped = nil
		}
		r.Rolls = append(r.Rolls, dice.Result(result))
	}
	var err error
	r.Created, err = parseTime(d.Created)
	return r, err
}

func resultsOf(rolls []dice.Result) []resultDocument {
	documents := make([]resultDocument, len(rolls))
	for i, r := range rolls {
		documents[i] = resultDocument(r)
		if r.Dropped == nil {
			documents[i].Dropped = []int{}
		}
	}
	return documents
}

type rollDocument struct {
	ID    uuid.UUID        `json:"rollid"`
	Rolls []resultDocument `json:"rolls"`
	Seed  string           `json:"seed"`
}

// RollObject gives a roll as the API answers it.
func RollObject(r Roll) []byte {
	return marshal(rollDocument{ID: r.ID, Rolls: resultsOf(r.Rolls), Seed: r.Seed})
}
