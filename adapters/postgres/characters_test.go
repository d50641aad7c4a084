package postgres

import (
	"testing"

	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/test/contract"
	"bitbucket.org/templar/templar/test/servers"
)

func TestCharacterStore(t *testing.T) {
	contract.CharacterStore(t, contract.CharacterHarness{
		Open: func(t *testing.T) character.Store {
			return open(t, servers.Postgres(t).Database(t)).Characters()
		},
		Pause: func(t *testing.T) (character.Store, func()) {
			db, resume := paused(t)
			return db.Characters(), resume
		},
	})
}
