package memory

import (
	"github.com/maypok86/otter/v2"

	"bitbucket.org/templar/templar/core/mustache"
	"bitbucket.org/templar/templar/core/template"
)

// Trees is a template.Trees: parsed templates, the most used ones, within a budget of bytes.
type Trees struct {
	kept *otter.Cache[template.TreeKey, *mustache.Template]
	most int
}

var _ template.Trees = (*Trees)(nil)

// treeOverhead is what an entry costs beside its tree, in bytes.
const treeOverhead = 160

// NewTrees makes an empty Trees of at most maxBytes. A tree of more than a sixteenth of that is not kept.
func NewTrees(maxBytes int64) *Trees {
	return &Trees{
		most: int(min(maxBytes/16, 1<<30)),
		kept: otter.Must(&otter.Options[template.TreeKey, *mustache.Template]{
			MaximumWeight: uint64(maxBytes),
			Weigher:       func(_ template.TreeKey, tree *mustache.Template) uint32 { return uint32(treeOverhead + tree.Size()) },
		}),
	}
}

// Tree implements template.Trees.
func (t *Trees) Tree(key template.TreeKey) (*mustache.Template, bool) {
	return t.kept.GetIfPresent(key)
}

// Keep implements template.Trees.
func (t *Trees) Keep(key template.TreeKey, tree *mustache.Template) {
	if treeOverhead+tree.Size() <= t.most {
		t.kept.Set(key, tree)
	}
}
