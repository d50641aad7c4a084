package mustache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestStrictNamesAllMissing(t *testing.T) {
	tpl := mustParse(t, "{{a}}{{x}}{{#items}}{{name}}{{price}}{{#tags}}{{.}}{{color.rgb}}{{/tags}}{{/items}}{{^no}}{{y}}{{/no}}{{#gone}}{{never}}{{/gone}}{{x}}{{null}}{{a.b}}{{#.}}{{z}}{{/.}}")
	v := mustData(t, `{"a":1,"null":null,"items":[{"name":"n"},{"price":1,"tags":[1,{"color":{}}]},{}]}`)
	want := []string{"x", "items.price", "items.name", "items.tags.color.rgb", "y", "a.b", "z"}

	_, err := tpl.Render(context.Background(), nil, v, Options{Strict: true})
	var missing *MissingError
	if !errors.As(err, &missing) || !slices.Equal(missing.Names, want) {
		t.Errorf("strict: %v, want %v", err, want)
	}
	got, err := tpl.Render(context.Background(), []byte(">"), v, Options{})
	if err != nil || !slices.Equal(got.Missing, want) {
		t.Errorf("not strict: %v %v, want %v", got.Missing, err, want)
	}
	if string(got.Output) != ">1n11{&quot;color&quot;:{}}" {
		t.Errorf("output %q", got.Output)
	}
	complete := mustParse(t, "{{a}}{{#gone}}{{never}}{{/gone}}{{^gone}}{{null}}{{/gone}}")
	if got, err := complete.Render(context.Background(), nil, v, Options{Strict: true}); err != nil || len(got.Missing) != 0 {
		t.Errorf("complete data: %v, %v", got.Missing, err)
	}
}

func TestUnknownPartials(t *testing.T) {
	tpl := mustParse(t, "{{>p}}{{x}}{{<q}}{{/q}}{{>*d}}{{>*n}}{{>*gone}}{{>p}}")
	v := mustData(t, `{"d":"r","n":null}`)
	_, err := tpl.Render(context.Background(), nil, v, Options{Strict: true})
	var unknown *UnknownPartialError
	var missing *MissingError
	if !errors.As(err, &unknown) || !slices.Equal(unknown.Names, []string{"p", "q", "r", "*n"}) {
		t.Errorf("unknown: %v", err)
	}
	if !errors.As(err, &missing) || !slices.Equal(missing.Names, []string{"x", "gone"}) {
		t.Errorf("missing: %v", err)
	}
	got, err := tpl.Render(context.Background(), nil, v, Options{})
	if err != nil || len(got.UnknownPartials) != 4 || len(got.Output) != 0 {
		t.Errorf("not strict: %+v, %v", got, err)
	}
}

func TestLoader(t *testing.T) {
	asked := map[string]int{}
	broken := errors.New("store is down")
	loader := LoaderFunc(func(_ context.Context, name string) (*Template, bool, error) {
		asked[name]++
		if name == "bad" {
			return nil, false, broken
		}
		return mustParse(t, "."), true, nil
	})
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, "{{>p%d}}{{>p%d}}", i, i)
	}
	got, err := mustParse(t, many.String()).Render(context.Background(), nil, Value{}, Options{Partials: loader})
	if err != nil || len(got.Output) != 80 || len(asked) != 40 {
		t.Fatalf("%d bytes, %d names, %v", len(got.Output), len(asked), err)
	}
	for name, n := range asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", name, n)
		}
	}
	_, err = mustParse(t, "{{>bad}}").Render(context.Background(), nil, Value{}, Options{Partials: loader})
	var failed *PartialError
	if !errors.As(err, &failed) || failed.Name != "bad" || !errors.Is(err, broken) {
		t.Errorf("failing loader: %v", err)
	}
	_, err = mustParse(t, many.String()).Render(context.Background(), nil, Value{}, Options{Partials: loader, MaxPartials: 10})
	wantLimit(t, err, LimitPartials)
}

func wantLimit(t *testing.T, err error, which Limit) {
	t.Helper()
	var l *LimitError
	if !errors.As(err, &l) || l.Which != which {
		t.Errorf("error %v, want the bound of %s", err, which)
	}
}

func numbers(n int) string {
	return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]"
}

func TestBoundsOfOutput(t *testing.T) {
	bomb := mustParse(t, "{{#a}}{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}{{/a}}")
	v := mustData(t, `{"a":`+numbers(250)+`}`)
	started := time.Now()
	_, err := bomb.Render(context.Background(), nil, v, Options{MaxBytes: 64 << 10})
	wantLimit(t, err, LimitOutput)
	if spent := time.Since(started); spent > 2*time.Second {
		t.Errorf("stopped after %v", spent)
	}
	for name, c := range map[string]struct{ source, data string }{
		"text":    {"0123456789A", `{}`},
		"value":   {"{{{v}}}", `{"v":"0123456789A"}`},
		"escaped": {"{{v}}", `{"v":"&&&"}`},
		"number":  {"{{v}}", `{"v":12345678901}`},
		"object":  {"{{{v}}}", `{"v":{"key":"abcdef"}}`},
		"indent":  {"     {{>p}}\n", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{MaxBytes: 10, Partials: Templates{"p": mustParse(t, "a\nb\n")}}
			_, err := mustParse(t, c.source).Render(context.Background(), []byte("already there"), mustData(t, c.data), o)
			wantLimit(t, err, LimitOutput)
			o.MaxBytes = 100
			if _, err := mustParse(t, c.source).Render(context.Background(), nil, mustData(t, c.data), o); err != nil {
				t.Errorf("with room: %v", err)
			}
		})
	}
	big := `{"v":"` + strings.Repeat("&", 100_000) + `"}`
	_, err = mustParse(t, "{{v}}").Render(context.Background(), nil, mustData(t, big), Options{MaxBytes: 200_000})
	wantLimit(t, err, LimitOutput)
	got, err := mustParse(t, "{{v}}").Render(context.Background(), nil, mustData(t, big), Options{MaxBytes: 500_000})
	if err != nil || len(got.Output) != 500_000 {
		t.Errorf("exactly the bound: %d bytes, %v", len(got.Output), err)
	}
}

func TestBoundsOfWork(t *testing.T) {
	silent := mustParse(t, "{{#a}}{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}{{/a}}")
	v := mustData(t, `{"a":`+numbers(250)+`}`)
	_, err := silent.Render(context.Background(), nil, v, Options{MaxSteps: 100_000})
	wantLimit(t, err, LimitSteps)

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, err = silent.Render(ctx, nil, v, Options{MaxSteps: 1 << 60})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(started) > time.Second {
		t.Errorf("deadline: %v after %v", err, time.Since(started))
	}
	gone, stop := context.WithCancel(context.Background())
	stop()
	if _, err := mustParse(t, "x").Render(gone, nil, v, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before the start: %v", err)
	}
}

func TestBoundsOfNesting(t *testing.T) {
	for name, source := range map[string]string{
		"partial":   "{{>self}}",
		"parent":    "{{<self}}{{$b}}x{{/b}}{{/self}}",
		"dynamic":   "{{>*name}}",
		"block":     "{{$b}}{{<self}}{{$b}}{{>self}}{{/b}}{{/self}}{{/b}}",
		"two":       "{{>self}}{{>self}}",
		"indented":  "  {{>self}}\n",
		"sectioned": "{{#name}}{{>self}}{{/name}}",
	} {
		t.Run(name, func(t *testing.T) {
			tpl := mustParse(t, source)
			started := time.Now()
			_, err := tpl.Render(context.Background(), nil, mustData(t, `{"name":"self"}`), Options{Partials: Templates{"self": tpl}})
			wantLimit(t, err, LimitPartialDepth)
			if spent := time.Since(started); spent > time.Second {
				t.Errorf("stopped after %v", spent)
			}
		})
	}
	chain := Templates{}
	for i := range 33 {
		chain[fmt.Sprint(i)] = mustParse(t, fmt.Sprintf("{{>%d}}", i+1))
	}
	chain["33"] = mustParse(t, "end")
	if got, err := mustParse(t, "{{>2}}").Render(context.Background(), nil, Value{}, Options{Partials: chain}); err != nil || string(got.Output) != "end" {
		t.Errorf("32 deep: %q, %v", got.Output, err)
	}
	_, err := mustParse(t, "{{>1}}").Render(context.Background(), nil, Value{}, Options{Partials: chain})
	wantLimit(t, err, LimitPartialDepth)

	deep := strings.Repeat("{{#a}}", 256) + "x" + strings.Repeat("{{/a}}", 256)
	if got, err := mustParse(t, deep).Render(context.Background(), nil, mustData(t, `{"a":1}`), Options{}); err != nil || string(got.Output) != "x" {
		t.Errorf("256 sections: %q, %v", got.Output, err)
	}
	_, err = mustParse(t, "{{#a}}{{>p}}{{/a}}").Render(context.Background(), nil, mustData(t, `{"a":1}`), Options{Partials: Templates{"p": mustParse(t, deep)}})
	wantLimit(t, err, LimitSections)
}

func TestIndentationIsBounded(t *testing.T) {
	wide := mustParse(t, strings.Repeat(" ", 1<<20)+"{{>self}}\n")
	_, err := wide.Render(context.Background(), nil, Value{}, Options{Partials: Templates{"self": wide}})
	wantLimit(t, err, LimitOutput)
}

func TestMissingListIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "{{v%d}}", i)
	}
	tpl := mustParse(t, b.String())
	got, err := tpl.Render(context.Background(), nil, Value{}, Options{})
	if err != nil || len(got.Missing) != maxNames {
		t.Errorf("%d names, %v", len(got.Missing), err)
	}
	_, err = tpl.Render(context.Background(), nil, Value{}, Options{Strict: true})
	var missing *MissingError
	if !errors.As(err, &missing) || len(missing.Names) != maxNames {
		t.Errorf("strict: %v", err)
	}
}

func TestEscapeNone(t *testing.T) {
	got, err := mustParse(t, "{{a}}{{b}}").Render(context.Background(), nil, mustData(t, `{"a":"<&>","b":["'"]}`), Options{Escape: EscapeNone})
	if err != nil || string(got.Output) != `<&>["'"]` {
		t.Errorf("%q, %v", got.Output, err)
	}
}

func TestRenderIsSafeForConcurrentUse(t *testing.T) {
	tpl := mustParse(t, "{{#l}}{{>p}}{{x}}{{/l}}")
	v := mustData(t, `{"l":[{"n":"<"},{"n":2}]}`)
	o := Options{Partials: Templates{"p": mustParse(t, "({{n}})")}}
	done := make(chan error)
	for range 8 {
		go func() {
			for range 200 {
				got, err := tpl.Render(context.Background(), nil, v, o)
				if err != nil || string(got.Output) != "(&lt;)(2)" || len(got.Missing) != 1 {
					done <- fmt.Errorf("%q %v %v", got.Output, got.Missing, err)
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestLiteral(t *testing.T) {
	for _, text := range []string{"", "plain", "{{name}} {{#a}}\r\n  {{> x}}\n", "\n\n  a\n{{/x}}"} {
		result, err := Literal(text).Render(context.Background(), nil, Value{}, Options{Strict: true})
		if err != nil || string(result.Output) != text {
			t.Errorf("%q renders as %q, %v", text, result.Output, err)
		}
		if got := Literal(text).Source(); got != text {
			t.Errorf("%q has the source %q", text, got)
		}
	}
	outer, err := Parse("<\n  {{> p}}\n>")
	if err != nil {
		t.Fatal(err)
	}
	result, err := outer.Render(context.Background(), nil, Value{}, Options{Partials: Templates{"p": Literal("{{a}}\n{{b}}\n")}})
	if want := "<\n  {{a}}\n  {{b}}\n>"; err != nil || string(result.Output) != want {
		t.Errorf("a literal partial renders as %q, %v", result.Output, err)
	}
}

// TestDeadline has a rendering that takes long end at its deadline, without a context that ends.
func TestDeadline(t *testing.T) {
	source := strings.Repeat("{{#a}}", 5) + "{{b}}" + strings.Repeat("{{/a}}", 5)
	tree := mustParse(t, source)
	data := mustData(t, `{"a":[`+strings.Repeat("1,", 200)+`1]}`)
	began := time.Now()
	_, err := tree.Render(context.Background(), nil, data, Options{Deadline: began.Add(20 * time.Millisecond), MaxSteps: math.MaxInt})
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
	if _, err := tree.Render(context.Background(), nil, Value{}, Options{Deadline: began.Add(time.Hour)}); err != nil {
		t.Errorf("long before the deadline: %v", err)
	}
}
