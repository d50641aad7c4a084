package mustache

import (
	"context"
	"testing"
)

// rule is one case of the specification's rules, in words and examples of our
// own; the official files are run against the service from the outside.
type rule struct {
	name, template, data string
	partials             map[string]string
	want                 string
}

func (c rule) run(t *testing.T) {
	t.Helper()
	loader := Templates{}
	for name, source := range c.partials {
		loader[name] = mustParse(t, source)
	}
	tpl := mustParse(t, c.template)
	got, err := tpl.Render(context.Background(), nil, mustData(t, c.data), Options{Partials: loader})
	if err != nil {
		t.Fatalf("render: %v", err)
	}
	if string(got.Output) != c.want {
		t.Errorf("template %q\n got %q\nwant %q", c.template, got.Output, c.want)
	}
	if back := tpl.Source(); back != c.template {
		t.Errorf("round trip\n got %q\nwant %q", back, c.template)
	}
}

func mustParse(t testing.TB, source string) *Template {
	t.Helper()
	tpl, err := Parse(source)
	if err != nil {
		t.Fatalf("parse %q: %v", source, err)
	}
	return tpl
}

func mustData(t testing.TB, text string) Value {
	t.Helper()
	v, err := ParseData([]byte(text))
	if err != nil {
		t.Fatalf("data %q: %v", text, err)
	}
	return v
}

func runRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, c := range rules {
		if c.data == "" {
			c.data = "{}"
		}
		t.Run(c.name, c.run)
	}
}

func TestInterpolation(t *testing.T) {
	runRules(t, []rule{
		{name: "no tags", template: "Plain {text}, } {\n", want: "Plain {text}, } {\n"},
		{name: "name", template: "Hi {{who}}!", data: `{"who":"Ann"}`, want: "Hi Ann!"},
		{name: "escaped", template: "{{v}}", data: `{"v":"a&b<c>\"d'e"}`, want: "a&amp;b&lt;c&gt;&quot;d&#39;e"},
		{name: "three braces", template: "{{{v}}}", data: `{"v":"&<>\"'"}`, want: `&<>"'`},
		{name: "ampersand", template: "{{&v}}", data: `{"v":"&<>\"'"}`, want: `&<>"'`},
		{name: "number as written", template: "{{a}} {{{b}}} {{&c}} {{d}} {{e}}", data: `{"a":1.10,"b":1e3,"c":-0,"d":12345678901234567890,"e":1E+02}`, want: "1.10 1e3 -0 12345678901234567890 1E+02"},
		{name: "null", template: "[{{a}}|{{{a}}}|{{&a}}]", data: `{"a":null}`, want: "[||]"},
		{name: "booleans", template: "{{a}}{{b}}", data: `{"a":true,"b":false}`, want: "truefalse"},
		{name: "missing", template: "[{{a}}{{{a}}}{{&a}}]", want: "[]"},
		{name: "object as JSON", template: "{{{a}}}", data: `{"a":{"z":[1, 2.50, null],"b":"x\u00e9\"<\u0001", "c" : true}}`, want: `{"z":[1,2.50,null],"b":"xé\"<\u0001","c":true}`},
		{name: "object escaped", template: "{{a}}", data: `{"a":["<"]}`, want: `[&quot;&lt;&quot;]`},
		{name: "dotted", template: "{{a.b.c}}", data: `{"a":{"b":{"c":"deep"}}}`, want: "deep"},
		{name: "dotted equals nested sections", template: "{{a.b}}={{#a}}{{b}}{{/a}}", data: `{"a":{"b":"x"}}`, want: "x=x"},
		{name: "broken chain", template: "[{{a.b.c}}]", data: `{"a":{}}`, want: "[]"},
		{name: "chain does not climb", template: "[{{a.b.c.n}}]", data: `{"a":{"b":{}},"c":{"n":"no"}}`, want: "[]"},
		{name: "chain starts innermost", template: "{{#a}}{{b.c}}{{/a}}", data: `{"a":{"b":{"c":"in"}},"b":{"c":"out"}}`, want: "in"},
		{name: "first part decides", template: "[{{#a}}{{b.c}}{{/a}}]", data: `{"a":{"b":{}},"b":{"c":"no"}}`, want: "[]"},
		{name: "a dot is never part of a key", template: "[{{a.b}}]", data: `{"a.b":"no"}`, want: "[]"},
		{name: "a key with a dot hides nothing", template: "{{a.b}}", data: `{"a.b":"no","a":{"b":"yes"}}`, want: "yes"},
		{name: "dot at the root", template: "{{.}} {{{.}}} {{&.}}", data: `"<"`, want: "&lt; < <"},
		{name: "dot at a number root", template: "{{.}}", data: `85`, want: "85"},
		{name: "white space around", template: "| {{a}} | {{{a}}} | {{&a}} |", data: `{"a":"-"}`, want: "| - | - | - |"},
		{name: "never standalone", template: "  {{a}}\n  {{{a}}}\n  {{&a}}\n", data: `{"a":"-"}`, want: "  -\n  -\n  -\n"},
		{name: "padding", template: "{{ a }}{{{ a }}}{{& a }}{{\n\ta\n}}", data: `{"a":"-"}`, want: "----"},
		{name: "values are not parsed", template: "{{{a}}}", data: `{"a":"{{b}}","b":"no"}`, want: "{{b}}"},
	})
}

func TestSections(t *testing.T) {
	runRules(t, []rule{
		{name: "true", template: "{{#a}}yes{{/a}}", data: `{"a":true}`, want: "yes"},
		{name: "false null missing empty", template: "[{{#a}}1{{/a}}{{#b}}2{{/b}}{{#c}}3{{/c}}{{#d}}4{{/d}}]", data: `{"a":false,"b":null,"d":[]}`, want: "[]"},
		{name: "empty string zero and empty object are values", template: "{{#a}}1{{/a}}{{#b}}2{{/b}}{{#c}}3{{/c}}", data: `{"a":"","b":0,"c":{}}`, want: "123"},
		{name: "object is pushed", template: "{{#a}}{{n}}{{/a}}", data: `{"a":{"n":"Joe"}}`, want: "Joe"},
		{name: "outer contexts", template: "{{#s}}{{a}},{{b}},{{c.d}}{{/s}}", data: `{"a":"1","b":"no","s":{"b":"2"},"c":{"d":"3"}}`, want: "1,2,3"},
		{name: "value is the context", template: "{{#a}}{{.}}={{a}}{{/a}}", data: `{"a":"v"}`, want: "v=v"},
		{name: "lists in lists", template: "{{#l}}{{n}}:{{#m}}{{n}}{{x}}{{/m}};{{/l}}", data: `{"l":[{"n":1,"m":[{"x":"a"},{"x":"b"}]},{"n":2,"m":[]}]}`, want: "1:1a1b;2:;"},
		{name: "strings are no lists", template: "{{#a}}x{{/a}}", data: `{"a":"123"}`, want: "x"},
		{name: "implicit iterator", template: "{{#l}}({{.}}){{/l}}", data: `{"l":["a",1,2.50,true,null,"<"]}`, want: "(a)(1)(2.50)(true)()(&lt;)"},
		{name: "implicit iterator raw", template: "{{#l}}({{{.}}}{{&.}}){{/l}}", data: `{"l":["&"]}`, want: "(&&)"},
		{name: "iterator of lists", template: "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", data: `{"l":[[1,2],["a"]]}`, want: "(12)(a)"},
		{name: "list at the root", template: "{{#.}}({{v}}){{/.}}", data: `[{"v":"a"},{"v":"b"}]`, want: "(a)(b)"},
		{name: "dotted", template: "{{#a.b}}x{{/a.b}}{{#a.c}}y{{/a.c}}{{#a.d.e}}z{{/a.d.e}}", data: `{"a":{"b":true,"c":false}}`, want: "x"},
		{name: "nested same name", template: "{{#a}}1{{#a}}2{{/a}}3{{/a}}", data: `{"a":true}`, want: "123"},
		{name: "inline keeps white space", template: " | {{#a}}\t|\t{{/a}} | \n", data: `{"a":true}`, want: " | \t|\t | \n"},
		{name: "comment inside keeps white space", template: " | {{#a}} {{! no }}\n {{/a}} | \n", data: `{"a":true}`, want: " |  \n  | \n"},
		{name: "two on a line are not standalone", template: " {{#a}}1{{/a}}\n {{#a}}{{/a}}\n", data: `{"a":true}`, want: " 1\n \n"},
		{name: "standalone", template: "1\n{{#a}}\n2\n  {{/a}}\t\n3\n", data: `{"a":true}`, want: "1\n2\n3\n"},
		{name: "standalone CRLF", template: "|\r\n{{#a}}\r\n{{/a}}\r\n|", data: `{"a":true}`, want: "|\r\n|"},
		{name: "standalone first line", template: "  {{#a}}\n#{{/a}}\n/", data: `{"a":true}`, want: "#\n/"},
		{name: "standalone last line", template: "#{{#a}}\n/\n  {{/a}}", data: `{"a":true}`, want: "#\n/\n"},
		{name: "a lone CR ends no line", template: "x\r{{#a}}\r{{/a}}\ry", data: `{"a":true}`, want: "x\r\r\ry"},
		{name: "padding", template: "{{# a }}={{/ a }}{{^ b }}={{/\tb}}", data: `{"a":true}`, want: "=="},
		{name: "inverted", template: "{{^a}}1{{/a}}{{^b}}2{{/b}}{{^c}}3{{/c}}{{^d}}4{{/d}}{{^e}}5{{/e}}", data: `{"a":false,"b":null,"d":[],"e":{"x":1}}`, want: "1234"},
		{name: "inverted list and dotted", template: "{{^l}}no{{/l}}{{^a.b.c}}yes{{/a.b.c}}", data: `{"l":[1],"a":{}}`, want: "yes"},
		{name: "inverted pushes nothing", template: "{{^a}}{{.}}{{/a}}", data: `"root"`, want: "root"},
		{name: "inverted standalone", template: "1\n {{^a}}\n2\n {{/a}}\n3", want: "1\n2\n3"},
	})
}

func TestCommentsAndDelimiters(t *testing.T) {
	runRules(t, []rule{
		{name: "inline", template: "1{{! x }}2", want: "12"},
		{name: "many lines inline", template: "1{{!\n x\n}}2\n", want: "12\n"},
		{name: "standalone", template: "1\n  {{! x }}  \n2\n", want: "1\n2\n"},
		{name: "standalone many lines", template: "1\n  {{!\n   x\n  }}\n2\n", want: "1\n2\n"},
		{name: "standalone CRLF", template: "|\r\n{{! x }}\r\n|", want: "|\r\n|"},
		{name: "first and last line", template: "  {{! x }}\n!\n  {{! y }}", want: "!\n"},
		{name: "indented inline", template: "  12 {{! 34 }}\n", want: "  12 \n"},
		{name: "text after a comment of many lines", template: "{{!\n}} x {{#a}}\ny{{/a}}", data: `{"a":1}`, want: " x \ny"},
		{name: "no variable", template: "[{{! a }}|{{!a}}|{{!}}]", data: `{"! a":1,"a":2}`, want: "[||]"},
		{name: "new delimiters", template: "{{=<% %>=}}<%a%>{{a}}<%={{ }}=%>{{a}}<%a%>", data: `{"a":"x"}`, want: "x{{a}}x<%a%>"},
		{name: "one byte each", template: "({{=[ ]=}}[a])", data: `{"a":"x"}`, want: "(x)"},
		{name: "same on both sides", template: "{{=| |=}}|#a||b||/a||&b|", data: `{"a":1,"b":"<"}`, want: "&lt;<"},
		{name: "raw braces with other delimiters", template: "{{=<< >>=}}<<{b}>>", data: `{"b":"<"}`, want: "<"},
		{name: "over the end of a section", template: "{{#a}}{{=| |=}}|b||/a||b|", data: `{"a":1,"b":2}`, want: "22"},
		{name: "partials have their own", template: "{{=| |=}}|>p||a|", data: `{"a":1}`, partials: map[string]string{"p": "{{a}}|a|{{=% %=}}%a%"}, want: "1|a|11"},
		{name: "standalone delimiters", template: "1\n  {{=@ @=}} \n2\r\n@={{ }}=@\r\n3", want: "1\n2\r\n3"},
		{name: "inline delimiters", template: " | {{=@ @=}}\n", want: " | \n"},
		{name: "padding", template: "|{{= @   @ =}}|{{x}}", want: "||{{x}}"},
	})
}

func TestPartials(t *testing.T) {
	runRules(t, []rule{
		{name: "expands", template: "[{{>p}}]", partials: map[string]string{"p": "x"}, want: "[x]"},
		{name: "unknown", template: "[{{>p}}]", want: "[]"},
		{name: "context", template: "{{#a}}{{>p}}{{/a}}", data: `{"a":{"n":1},"m":2}`, partials: map[string]string{"p": "{{n}}{{m}}"}, want: "12"},
		{name: "recursion", template: "{{>n}}", data: `{"c":"X","k":[{"c":"Y","k":[]}]}`, partials: map[string]string{"n": "{{c}}<{{#k}}{{>n}}{{/k}}>"}, want: "X<Y<>>"},
		{name: "nested", template: "{{>a}}", data: `{"x":1,"y":2}`, partials: map[string]string{"a": "{{x}}{{>b}}", "b": "{{y}}!"}, want: "12!"},
		{name: "name with a space", template: "{{> My page }}", partials: map[string]string{"My page": "x"}, want: "x"},
		{name: "inline keeps white space", template: "| {{>p}} |", partials: map[string]string{"p": "\t|\t"}, want: "| \t|\t |"},
		{name: "inline does not indent", template: "  {{a}}  {{>p}}\n", data: `{"a":"|"}`, partials: map[string]string{"p": ">\n>"}, want: "  |  >\n>\n"},
		{name: "standalone CRLF", template: "|\r\n{{>p}}\r\n|", partials: map[string]string{"p": ">"}, want: "|\r\n>|"},
		{name: "standalone first line", template: "  {{>p}}\n>", partials: map[string]string{"p": ">\n>"}, want: "  >\n  >>"},
		{name: "standalone last line", template: ">\n  {{>p}}", partials: map[string]string{"p": ">\n>"}, want: ">\n  >\n  >"},
		{name: "indents lines, not values", template: "\\\n {{>p}}\n/\n", data: `{"v":"<\n->"}`, partials: map[string]string{"p": "|\n{{{v}}}a b{{{v}}}c\n|\n"}, want: "\\\n |\n <\n->a b<\n->c\n |\n/\n"},
		{name: "empty lines stay empty", template: " {{>p}}\n", partials: map[string]string{"p": "a\n\n\r\nb\n"}, want: " a\n\n\r\n b\n"},
		{name: "indentation adds up", template: " {{>a}}\n", partials: map[string]string{"a": "1\n\t{{>b}}\n2\n", "b": "3\n4\n"}, want: " 1\n \t3\n \t4\n 2\n"},
		{name: "indentation before a tag, once", template: " {{>p}}\n", data: `{"l":[1,2]}`, partials: map[string]string{"p": "{{#l}}{{.}},{{/l}}\n{{^x}}n{{/x}}\n{{!c}}d\n"}, want: " 1,2,\n n\n d\n"},
		{name: "indentation in a section, each time", template: " {{>p}}\n", data: `{"l":[1,2]}`, partials: map[string]string{"p": "{{#l}}\n{{.}}\n{{/l}}\n"}, want: " 1\n 2\n"},
		{name: "indentation before an end tag", template: " {{>p}}\n", data: `{"l":[1,2]}`, partials: map[string]string{"p": "{{#l}}x\n{{/l}}y\n"}, want: " x\n x\n y\n"},
		{name: "padding", template: "|{{> p }}|", partials: map[string]string{"p": "[]"}, want: "|[]|"},
		{name: "dynamic", template: "[{{>*d}}][{{> * d }}]", data: `{"d":"p","*d":"no"}`, partials: map[string]string{"p": "x"}, want: "[x][x]"},
		{name: "dynamic missing", template: "[{{>*d}}]", partials: map[string]string{"d": "no"}, want: "[]"},
		{name: "dynamic unknown null object", template: "[{{>*d}}{{>*n}}{{>*o}}]", data: `{"d":"q","n":null,"o":{}}`, partials: map[string]string{"p": "no", "": "no"}, want: "[]"},
		{name: "dynamic dotted", template: "{{>*a.b}}", data: `{"a":{"b":"p"},"t":1}`, partials: map[string]string{"p": "{{t}}"}, want: "1"},
		{name: "dynamic is resolved before it is used", template: "[{{>*a.b}}]", data: `{"a":"t","t":{"b":"p"}}`, partials: map[string]string{"p": "no"}, want: "[]"},
		{name: "dynamic pushes nothing", template: "{{#s}}{{>*o.d}}{{/s}}", data: `{"s":{"v":1},"o":{"d":"p","v":2}}`, partials: map[string]string{"p": "{{v}}"}, want: "1"},
		{name: "dynamic twice or inside", template: "[{{>**d}}{{>*a.*d}}]", data: `{"d":"e","e":"p","a":"e"}`, partials: map[string]string{"p": "no", "e": "no"}, want: "[]"},
		{name: "dynamic standalone", template: "\\\n  {{>*d}}\n/", data: `{"d":"p"}`, partials: map[string]string{"p": "1\n2\n"}, want: "\\\n  1\n  2\n/"},
		{name: "dynamic recursion", template: "{{>*t}}", data: `{"t":"n","c":"X","k":[{"c":"Y","k":[]}]}`, partials: map[string]string{"n": "{{c}}<{{#k}}{{>*t}}{{/k}}>"}, want: "X<Y<>>"},
		{name: "number as a name", template: "{{>*d}}", data: `{"d":7}`, partials: map[string]string{"7": "x"}, want: "x"},
	})
}
