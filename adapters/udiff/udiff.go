// Package udiff compares texts, through go-udiff (the Go team's own diff, made importable).
package udiff

import (
	"context"

	"github.com/aymanbagabas/go-udiff"

	"bitbucket.org/templar/templar/core/template"
)

// Differ is a template.Differ with three lines of context. It compares by lines, in time and memory that grow with
// their number: where two texts have little in common it gives up looking for the smallest difference.
type Differ struct{}

var _ template.Differ = Differ{}

// Unified implements template.Differ.
func (Differ) Unified(ctx context.Context, oldName, newName, before, after string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return udiff.ToUnified(oldName, newName, before, udiff.Lines(before, after), udiff.DefaultContextLines)
}
