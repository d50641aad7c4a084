package memory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/mustache"
	"bitbucket.org/templar/templar/core/template"
)

func TestTreesStayWithinTheirBudget(t *testing.T) {
	trees := memory.NewTrees(1 << 20)
	tree, err := mustache.Parse(strings.Repeat("Dear {{name}}, ", 100))
	if err != nil {
		t.Fatal(err)
	}
	key := template.TreeKey{ID: uuid.New(), Revision: 1}
	trees.Keep(key, tree)
	if got, ok := trees.Tree(key); !ok || got != tree {
		t.Fatal("what was kept is gone")
	}
	for _, other := range []template.TreeKey{{ID: key.ID, Revision: 2}, {ID: key.ID, Revision: 1, Digest: 1}, {ID: uuid.New(), Revision: 1}} {
		if _, ok := trees.Tree(other); ok {
			t.Errorf("%+v finds another's tree", other)
		}
	}
	keys := make([]template.TreeKey, 2000)
	for n := range keys {
		keys[n] = template.TreeKey{ID: uuid.New(), Revision: 1}
		trees.Keep(keys[n], tree)
	}
	// otter evicts beside the writers, so it may be a little late.
	kept, most := 0, (1<<20)/tree.Size()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		kept = 0
		for _, key := range keys {
			if _, ok := trees.Tree(key); ok {
				kept++
			}
		}
		if kept <= most || time.Now().After(deadline) {
			break
		}
	}
	if kept == 0 || kept > most {
		t.Errorf("%d trees of %d bytes are kept", kept, tree.Size())
	}
	huge := mustache.Literal(strings.Repeat("x", 1<<20))
	trees.Keep(key, huge)
	if got, _ := trees.Tree(key); got == huge {
		t.Error("a tree as large as the budget is kept")
	}
}
