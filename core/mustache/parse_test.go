package mustache

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		name, source string
		line, column int
		expected     string
	}{
		{"unclosed tag", "Hello {{name", 1, 7, "}}"},
		{"unclosed raw", "Hello {{{name}}", 1, 7, "}}}"},
		{"unclosed comment", "\n\n {{! x }", 3, 2, "}}"},
		{"unclosed section", "é\né{{#a}}x\n", 2, 2, "{{/a}}"},
		{"unclosed with other delimiters", "{{=<% %>=}}\n<%#a%>", 2, 1, "<%/a%>"},
		{"stray end", "x\n  {{/a}}", 2, 3, "a start tag"},
		{"wrong end", "日本{{#a}}{{/b}}", 1, 9, "{{/a}}"},
		{"crossed", "{{#a}}{{#b}}{{/a}}{{/b}}", 1, 13, "{{/b}}"},
		{"end of a dynamic parent", "{{<*a}}{{/a}}", 1, 8, "{{/*a}}"},
		{"no name", "a{{}}", 1, 2, "a name"},
		{"blank name", "a{{# }}", 1, 2, "a name"},
		{"no dynamic name", "{{>*}}", 1, 1, "a name"},
		{"two words", "{{if x}}", 1, 5, "}}"},
		{"partial over lines", "{{>a\nb}}", 1, 5, "one line"},
		{"one delimiter", "{{=<%=}}", 1, 1, "two new delimiters"},
		{"three delimiters", "{{=a b c=}}", 1, 1, "two new delimiters"},
		{"equals sign", "{{=a= b=}}", 1, 1, "two new delimiters"},
		{"too deep", strings.Repeat("{{#a}}", 257), 1, 256*6 + 1, "256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.source)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("error %v", err)
			}
			if syntax.Line != c.line || syntax.Column != c.column || !strings.Contains(syntax.Expected, c.expected) {
				t.Errorf("%v, want line %d, column %d, expected …%s…", err, c.line, c.column, c.expected)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	for _, c := range []struct {
		source string
		want   []Variable
	}{
		{"plain", nil},
		{"{{a}}{{{b}}}{{&c}}{{a}}{{user.name}}", []Variable{{"a", KindValue, true}, {"b", KindValue, false}, {"c", KindValue, false}, {"user.name", KindValue, true}}},
		{"{{a}}{{{a}}}", []Variable{{"a", KindValue, false}}},
		{"{{#items}}{{price}}{{#tags}}{{.}}{{x}}{{/tags}}{{/items}}{{^items}}{{none}}{{/items}}{{price}}", []Variable{
			{"items", KindSection, false}, {"items.price", KindValue, true}, {"items.tags", KindSection, false}, {"items.tags", KindValue, true},
			{"items.tags.x", KindValue, true}, {"items", KindInverted, false}, {"none", KindValue, true}, {"price", KindValue, true},
		}},
		{"{{.}}{{#.}}{{a}}{{/.}}", []Variable{{".", KindValue, true}, {".", KindSection, false}, {"a", KindValue, true}}},
		{"{{#l}}{{>p}}{{>*k}}{{>*.}}{{/l}}{{<q}}{{no}}{{$b}}{{yes}}{{/b}}{{/q}}{{$c}}{{also}}{{/c}}", []Variable{
			{"l", KindSection, false}, {"p", KindPartial, false}, {"*l.k", KindPartial, false}, {"*l", KindPartial, false}, {"q", KindPartial, false},
			{"yes", KindValue, true}, {"also", KindValue, true},
		}},
	} {
		got, err := mustParse(t, c.source).Variables()
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s\n got %v, %v\nwant %v", c.source, got, err, c.want)
		}
	}
	long := strings.Repeat("n", 2000)
	bomb := strings.Repeat("{{#"+long+"}}", 250) + strings.Repeat("{{x}}", 1000) + strings.Repeat("{{/"+long+"}}", 250)
	_, err := mustParse(t, bomb).Variables()
	wantLimit(t, err, LimitVariables)
}

func TestSizeGrowsWithTheTemplate(t *testing.T) {
	small, big := mustParse(t, "{{a}}").Size(), mustParse(t, strings.Repeat("{{a}}b", 1000)).Size()
	if unsafe.Sizeof(node{}) != nodeBytes {
		t.Errorf("a node has %d bytes", unsafe.Sizeof(node{}))
	}
	if small < 50 || big < 6000+2000*40 || big > 6000+2000*40*2 {
		t.Errorf("sizes %d and %d", small, big)
	}
}

// FuzzParse: no input makes the parser or the renderer panic, the spans of the
// tree cover the source, and the tree writes the same text back.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "{{a}}", "{{{ a }}}\n {{#a}}\n{{b.c}}\n{{/a}} \r\n", "{{=| |=}}|#a||{b}||/a|",
		"{{<p}}{{$a}}\n  x\n    {{$b}}\n{{y}}{{/b}}\n{{/a}} no {{/p}}\n", "  {{$a}}{{/a}}\n", "{{! x\n}} {{>*p}}\n  {{> p q}}\n{{^a}}{{/a}}",
		"{{=<% %>=}}<%={{ }}=%>{{/a}}", " {{<*p}}{{/*p}}", "{{#a}}{{#a}}", "{{", "}}", "{{=}}", "\t{{$é}}\n\t\t{{>p}}\n{{/é}}\n",
	} {
		f.Add(seed)
	}
	v := mustData(f, `{"a":[{"b":{"c":"<"}},1],"p":"p","y":null}`)
	f.Fuzz(func(t *testing.T, source string) {
		tpl, err := Parse(source)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 || syntax.Expected == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if back := tpl.Source(); back != source {
			t.Fatalf("round trip of %q gives %q", source, back)
		}
		at := uint32(0)
		for i, n := range tpl.nodes {
			if n.start != at || n.stop <= n.start || n.end <= uint32(i) || n.at < n.start || n.lead > n.at {
				t.Fatalf("node %d of %q: %+v after %d", i, source, n, at)
			}
			at = n.stop
		}
		if int(at) != len(source) {
			t.Fatalf("the tree ends at %d of %d", at, len(source))
		}
		if _, err := tpl.Variables(); err != nil {
			t.Fatal(err)
		}
		o := Options{MaxBytes: 1 << 16, MaxSteps: 1 << 16, Partials: Templates{"p": tpl, "q": mustParse(t, "\n{{$a}}\n  1\n{{/a}}{{$b}}{{/b}}\n")}}
		for _, strict := range []bool{false, true} {
			o.Strict = strict
			if got, err := tpl.Render(context.Background(), nil, v, o); err == nil && len(got.Output) > o.MaxBytes {
				t.Fatalf("%d bytes", len(got.Output))
			}
		}
	})
}
