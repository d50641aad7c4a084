package sqlite

import (
	"testing"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/test/contract"
)

func TestCharacterStore(t *testing.T) {
	contract.CharacterStore(t, contract.CharacterHarness{
		Open: func(t *testing.T) character.Store { return open(t).Characters() },
	})
}

func TestASchemaWithoutCharactersIsNotReady(t *testing.T) {
	for _, table := range []string{"characters", "characters_words", "character_rolls", "character_receipts"} {
		db := open(t)
		if err := db.SchemaReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		run(t, db.SQL(), `DROP TABLE `+table)
		if err := db.SchemaReady(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("without %s: want Unavailable, got %v", table, err)
		}
	}
}

func TestABrokenDocumentIsAnInternalFault(t *testing.T) {
	db := open(t)
	run(t, db.SQL(), `INSERT INTO characters (characterid, name, player, race, classes, level, words, author, revision, created, modified, document)
VALUES ('12345678-90ab-cdef-1234-567890abcdef', '', '', '', '', 1, '', '', 1, '2026-01-02 03:04:05', '2026-01-02 03:04:05', '{"version": 99}')`)
	_, get := db.Characters().Get(t.Context(), [16]byte{0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0xcd, 0xef, 0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0xcd, 0xef})
	_, list := db.Characters().List(t.Context(), character.Query{Limit: 5})
	for what, err := range map[string]error{"Get": get, "List": list} {
		if !fault.Is(err, fault.Internal) {
			t.Errorf("%s of a document of another version: want Internal, got %v", what, err)
		}
	}
}
