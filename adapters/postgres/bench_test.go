package postgres

import (
	"testing"

	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/test/servers"
)

func BenchmarkGet(b *testing.B) {
	s := open(b, servers.Postgres(b).Database(b)).Templates()
	a := sample("a")
	if err := s.Create(b.Context(), a, nil); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(b.Context(), a.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	s := open(b, servers.Postgres(b).Database(b)).Templates()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Create(b.Context(), sample("a"), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	s := open(b, servers.Postgres(b).Database(b)).Templates()
	for range 40 {
		if err := s.Create(b.Context(), sample("a"), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.List(b.Context(), template.Query{Limit: 21, WithContent: true}); err != nil {
			b.Fatal(err)
		}
	}
}
