package postgres

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

// prose makes texts of so many bytes, of words that are used as unevenly as those of a language.
func prose(seed uint64, size int) func() string {
	r := rand.New(rand.NewPCG(seed, 1))
	words := make([]string, 20_000)
	for i := range words {
		letters := make([]byte, 2+r.IntN(9))
		for j := range letters {
			letters[j] = byte('a' + r.IntN(26))
		}
		words[i] = string(letters)
	}
	return func() string {
		var text strings.Builder
		for text.Len() < size {
			at := r.Float64()
			text.WriteString(words[int(at*at*at*float64(len(words)))])
			text.WriteString([]string{" ", " ", " ", " ", ", ", ". ", " {{", "}} "}[r.IntN(8)])
		}
		return text.String()[:size]
	}
}

// batchOf makes new templates.
func batchOf(content func() string, size int) []template.Writing {
	batch := make([]template.Writing, size)
	for i := range batch {
		t := sample(fmt.Sprint("name ", i))
		t.ID = uuid.Must(uuid.NewRandom())
		t.Description, t.Content, t.Created = "about a mail", content(), time.Now().UTC().Truncate(time.Microsecond)
		t.Modified = t.Created
		batch[i].Template = t
	}
	return batch
}

// BenchmarkWrite stores batches of 1000 new templates of 600 bytes, on disk, with all indexes in place.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 2, 3} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, servers.NewPostgres(b).Database(b)).Templates()
			content := prose(1, 600)
			batches := make([][]template.Writing, b.N)
			for i := range batches {
				batches[i] = batchOf(content, 1000)
			}
			b.ResetTimer()
			var next atomic.Int64
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					for i := int(next.Add(1)) - 1; i < len(batches); i = int(next.Add(1)) - 1 {
						results, err := s.Write(b.Context(), batches[i])
						if err != nil {
							b.Error(err)
							return
						}
						for _, r := range results {
							if r != nil {
								b.Error(r)
							}
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "templates/s")
		})
	}
}
