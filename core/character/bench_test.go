package character

import "testing"

func BenchmarkDerive(b *testing.B) {
	for name, build := range map[string]Build{"fighter": tordek(), "two casters": halfElfPaladinSorcerer(), "wizard": human("wizard", 20, scores(8, 8, 8, 18, 8, 8))} {
		made, err := Draft{Build: build.with(func(b *Build) { b.Name = "n" }), Absent: Absent{XP: true, HP: true}}.check(nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Derive(made)
			}
		})
	}
}

func BenchmarkObject(b *testing.B) {
	made, err := Draft{Build: tordek(), Absent: Absent{XP: true, HP: true}}.check(nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Object(made)
	}
}
