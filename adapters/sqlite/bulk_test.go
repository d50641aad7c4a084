package sqlite

import (
	"testing"

	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/contract"
)

var harness = contract.DatabaseHarness{
	Open: func(t *testing.T) template.Database { return open(t).Templates() },
}

func TestTemplateHistory(t *testing.T) { contract.TemplateHistory(t, harness) }

func TestTemplateArchive(t *testing.T) { contract.TemplateArchive(t, harness) }
