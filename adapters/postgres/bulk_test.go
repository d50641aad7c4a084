package postgres

import (
	"testing"

	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/contract"
	"bitbucket.org/templar/templar/test/servers"
)

var harness = contract.DatabaseHarness{
	Open: func(t *testing.T) template.Database {
		return open(t, servers.Postgres(t).Database(t)).Templates()
	},
	Pause: func(t *testing.T) (template.Database, func()) {
		db, resume := paused(t)
		return db.Templates(), resume
	},
}

func TestTemplateHistory(t *testing.T) { contract.TemplateHistory(t, harness) }

func TestTemplateArchive(t *testing.T) { contract.TemplateArchive(t, harness) }
