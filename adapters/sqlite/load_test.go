package sqlite

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/template"
)

// BenchmarkWrite stores batches of 1000 new templates of 600 bytes, on disk, with all indexes in place.
func BenchmarkWrite(b *testing.B) {
	s := open(b).Templates()
	r := rand.New(rand.NewPCG(1, 1))
	words := make([]string, 20_000)
	for i := range words {
		letters := make([]byte, 2+r.IntN(9))
		for j := range letters {
			letters[j] = byte('a' + r.IntN(26))
		}
		words[i] = string(letters)
	}
	batches := make([][]template.Writing, b.N)
	for i := range batches {
		for j := range 1000 {
			t := sample(fmt.Sprint("name ", j))
			t.ID = uuid.Must(uuid.NewRandom())
			var content strings.Builder
			for content.Len() < 600 {
				at := r.Float64()
				content.WriteString(words[int(at*at*at*float64(len(words)))] + " ")
			}
			t.Content = content.String()[:600]
			batches[i] = append(batches[i], template.Writing{Template: t})
		}
	}
	b.ResetTimer()
	for _, batch := range batches {
		results, err := s.Write(b.Context(), batch)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range results {
			if r != nil {
				b.Fatal(r)
			}
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "templates/s")
}
