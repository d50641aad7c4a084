package memory

import (
	"container/heap"
	"context"
	"slices"
	"strings"

	"bitbucket.org/templar/templar/core/template"
)

// List implements template.Store.
func (s *Templates) List(ctx context.Context, q template.Query) ([]template.Template, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	if q.Limit < 1 {
		return nil, nil
	}
	best := &page{sort: q.Sort, limit: q.Limit}
	if err := s.each(ctx, q.Filter, func(t *template.Template) {
		p := template.PositionOf(*t, q.Sort)
		if q.After == nil || before(q.Sort, *q.After, p) {
			best.offer(entry{position: p, t: *t})
		}
	}); err != nil {
		return nil, err
	}
	items := best.sorted()
	if !q.WithContent {
		for i := range items {
			items[i].Content = ""
		}
	}
	return items, nil
}

// Count implements template.Store.
func (s *Templates) Count(ctx context.Context, f template.Filter) (int, error) {
	if err := ended(ctx); err != nil {
		return 0, err
	}
	n := 0
	err := s.each(ctx, f, func(*template.Template) { n++ })
	return n, err
}

// each shows the templates that a filter picks, in no order. What is shown is only good until show returns.
func (s *Templates) each(ctx context.Context, f template.Filter, show func(*template.Template)) error {
	wanted := template.Words(f.Words)
	for i, word := range wanted {
		wanted[i] = wordMark + word + wordMark
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	looked := 0
	for _, r := range s.rows {
		if looked++; looked%1024 == 0 {
			if err := ended(ctx); err != nil {
				return err
			}
		}
		t := &r.current
		if t.InTrash() == f.Trash && (f.Name == nil || t.Name == *f.Name) && strings.HasPrefix(t.Name, f.NamePrefix) && holdsAll(r.words, wanted) {
			show(t)
		}
	}
	return nil
}

// before tells whether a stands before b in a list of that order.
func before(s template.Sort, a, b template.Position) bool {
	if s.Descending {
		return a.Compare(b) > 0
	}
	return a.Compare(b) < 0
}

// entry is a template with its place in the list at hand.
type entry struct {
	position template.Position
	t        template.Template
}

// page keeps the first few of all that it is offered: a heap whose root is the last of them.
type page struct {
	sort    template.Sort
	limit   int
	entries []entry
}

func (p *page) offer(e entry) {
	if len(p.entries) < p.limit {
		heap.Push(p, e)
	} else if before(p.sort, e.position, p.entries[0].position) {
		p.entries[0] = e
		heap.Fix(p, 0)
	}
}

func (p *page) sorted() []template.Template {
	slices.SortFunc(p.entries, func(a, b entry) int {
		if before(p.sort, a.position, b.position) {
			return -1
		}
		return 1 // ids are unique: no two are equal
	})
	items := make([]template.Template, len(p.entries))
	for i := range p.entries {
		items[i] = p.entries[i].t
	}
	return items
}

// Len implements heap.Interface.
func (p *page) Len() int { return len(p.entries) }

// Less implements heap.Interface: the root is what stands last.
func (p *page) Less(i, j int) bool {
	return before(p.sort, p.entries[j].position, p.entries[i].position)
}

// Swap implements heap.Interface.
func (p *page) Swap(i, j int) { p.entries[i], p.entries[j] = p.entries[j], p.entries[i] }

// Push implements heap.Interface.
func (p *page) Push(x any) { p.entries = append(p.entries, x.(entry)) }

// Pop implements heap.Interface; pages only grow to their limit and are sorted then.
func (p *page) Pop() any {
	last := p.entries[len(p.entries)-1]
	p.entries = p.entries[:len(p.entries)-1]
	return last
}

// wordMark stands around each word. Words are letters and digits, so it is in none.
const wordMark = "\x00"

// wordsOf gives the words of a template, each once, in the form that holdsAll searches: one text, because a search
// through it runs at the speed of memory and it takes no more of that than the content itself.
func wordsOf(t template.Template) string {
	words := template.Words(t.Name + "\n" + t.Description + "\n" + t.Content)
	slices.Sort(words)
	var text strings.Builder
	text.WriteString(wordMark)
	for _, word := range slices.Compact(words) {
		text.WriteString(word)
		text.WriteString(wordMark)
	}
	return text.String()
}

// holdsAll tells whether a text of wordsOf holds all of the marked words.
func holdsAll(words string, wanted []string) bool {
	for _, word := range wanted {
		if !strings.Contains(words, word) {
			return false
		}
	}
	return true
}
