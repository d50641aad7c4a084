package sqlstore

import (
	"math"
	"time"

	"github.com/google/uuid"
)

// BulkStatements gives the statements on some templates, with parameters, to look at their plans.
func (s *Templates) BulkStatements(ids []uuid.UUID) []PageStatement {
	d := &s.h.dialect
	id, name := ids[0].String(), "name"
	statements := []PageStatement{
		{Text: listRevisions, Args: []any{id, math.MaxInt64, 20}},
		{Text: d.namedStatement(), Args: []any{name, name}},
		{Text: listLabels, Args: []any{id}},
		{Text: labelHistory, Args: []any{id, name, math.MaxInt64, 20}},
		{Text: d.lockTemplate(), Args: []any{id}},
		{Text: livesAtRevision, Args: []any{id, 1}},
		{Text: pickTrash + d.LockFree, Args: []any{d.time(time.Now()), 100}},
		{Text: countTrash, Args: []any{d.time(time.Now())}},
		{Text: pickByID + d.LockRow, Args: []any{id, 100}},
	}
	set := func(text string, own ...any) {
		with, args := d.with(idSet(ids), own)
		statements = append(statements, PageStatement{Text: with + text, Args: args})
	}
	set(d.currentOf())
	set(d.lookAt())
	set(lookAtLabels)
	set(storeKept)
	for _, text := range purgeAll {
		set(text)
	}
	set(thinAway, 2)
	return statements
}
