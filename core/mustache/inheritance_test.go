package mustache

import "testing"

func TestInheritance(t *testing.T) {
	runRules(t, []rule{
		{name: "default", template: "{{$t}}Default{{/t}}\n", want: "Default\n"},
		{name: "default with tags", template: "{{$t}}a {{v}} {{{v}}} {{#s}}{{v}}{{/s}}{{^n}}!{{/n}}{{/t}}", data: `{"v":"<","s":{"v":"{{v}}"}}`, want: "a &lt; < {{v}}!"},
		{name: "parent alone takes its line", template: "{{<p}}{{/p}}\n", partials: map[string]string{"p": "{{$a}}x{{/a}}"}, want: "x"},
		{name: "replaced", template: "{{<p}}{{$a}}new{{/a}}{{/p}}", partials: map[string]string{"p": "..{{$a}}old{{/a}}.."}, want: "..new.."},
		{name: "names apart from the data", template: "{{<p}}{{$v}}new{{/v}}{{/p}}{{<p}}{{/p}}", data: `{"v":"data"}`, partials: map[string]string{"p": "{{$v}}old{{/v}},"}, want: "new,old,"},
		{name: "two parents on a line", template: "t {{<p}}{{$a}}1{{/a}}{{/p}} {{<p}}{{$a}}2{{/a}}{{/p}}\n", partials: map[string]string{"p": "|{{$a}}.{{/a}}{{$b}} b{{/b}}|"}, want: "t |1 b| |2 b|\n"},
		{name: "first line break goes", template: "{{<p}}{{$a}}\nx\n\n:(\n{{/a}}{{/p}}", partials: map[string]string{"p": "{{$a}}y{{/a}}"}, want: "x\n\n:(\n"},
		{name: "indentation of the place", template: "{{<p}}{{$a}}new{{/a}}{{/p}}", partials: map[string]string{"p": "1:\n  {{$a}}old{{/a}}\n"}, want: "1:\n  new\n"},
		{name: "one of two", template: "{{<p}}{{$b}}new{{/b}}{{/p}}", partials: map[string]string{"p": "{{$a}}a{{/a}},{{$b}}b{{/b}}"}, want: "a,new"},
		{name: "partial is a parent without blocks", template: "{{>p}}|{{<p}}{{/p}}", partials: map[string]string{"p": "{{$a}}x{{/a}}"}, want: "x|x"},
		{name: "arguments reach partials of the parent", template: "{{<p}}{{$a}}new{{/a}}{{/p}}", partials: map[string]string{"p": "{{>q}}{{<q}}{{/q}}", "q": "[{{$a}}old{{/a}}]"}, want: "[new][new]"},
		{name: "recursion", template: "{{<p}}{{$a}}new{{/a}}{{/p}}", partials: map[string]string{
			"p": "{{$a}}old{{/a}} {{$b}}{{<q}}{{/q}}{{/b}}",
			"q": "{{$a}}q{{/a}} {{<p}}{{$b}}stop{{/b}}{{/p}}",
		}, want: "new new new stop"},
		{name: "outermost wins", template: "{{<a}}{{$x}}1{{/x}}{{/a}}|{{<a}}{{/a}}|{{>b}}", partials: map[string]string{
			"a": "{{<b}}{{$x}}2{{/x}}{{/b}}", "b": "{{<c}}{{$x}}3{{/x}}{{/c}}", "c": "{{$x}}4{{/x}}",
		}, want: "1|2|3"},
		{name: "text in a parent is ignored", template: "{{<p}} no {{v}} {{$a}}hm{{/a}} {{#s}}no{{$a}}no{{/a}}{{/s}} {{>p}} {{/p}}", data: `{"v":1,"s":1}`, partials: map[string]string{"p": "{{$a}}old{{/a}}"}, want: "hm"},
		{name: "context of the place", template: "{{<p}}{{$a}}I {{f}}{{/a}}{{/p}}", data: `{"f":"no","n":{"f":"yes"}}`, partials: map[string]string{"p": "{{#n}}{{$a}}You{{/a}}{{/n}}"}, want: "I yes"},
		{name: "standalone parent", template: "Hi\n  {{<p}}{{/p}}\nend", partials: map[string]string{"p": "1\n2\n"}, want: "Hi\n  1\n  2\nend"},
		{name: "standalone parent over lines", template: "Hi\n  {{<p}}\n no\n {{/p}} \nend", partials: map[string]string{"p": "1\n2\n"}, want: "Hi\n  1\n  2\nend"},
		{name: "inline parent", template: "Hi\n  {{<p}}{{/p}} x\n", partials: map[string]string{"p": "1\n2"}, want: "Hi\n  1\n2 x\n"},
		{name: "standalone block", template: "{{<p}}{{$a}}\n1\n2{{/a}}\n{{/p}}\n", partials: map[string]string{"p": "Hi\n  {{$a}}{{/a}}\n"}, want: "Hi\n  1\n  2\n"},
		{name: "block is reindented", template: "{{<p}}{{$a}}\n    1\n      2\n{{/a}}{{/p}}\n", partials: map[string]string{"p": "Hi\n  {{$a}}\n  {{/a}}\nend"}, want: "Hi\n  1\n    2\nend"},
		{name: "intrinsic indentation of the default", template: "{{<p}}{{$a}}\n1\n2\n{{/a}}{{/p}}\n", partials: map[string]string{"p": "Hi\n{{$a}}\n  old\n{{/a}}\n"}, want: "Hi\n  1\n  2\n"},
		{name: "nested blocks are reindented", template: "{{<p}}{{$n}}\n3\n{{/n}}{{/p}}\n", partials: map[string]string{
			"p": "{{<g}}{{$a}}\n  1\n  {{$n}}\n    2\n  {{/n}}\n{{/a}}{{/g}}\n", "g": "{{$a}}old{{/a}}",
		}, want: "1\n  3\n"},
		{name: "nested default is reindented", template: "{{>p}}", partials: map[string]string{
			"p": "{{<g}}{{$a}}\n  1\n  {{$n}}\n    2\n  {{/n}}\n{{/a}}{{/g}}\n", "g": "{{$a}}old{{/a}}",
		}, want: "1\n  2\n"},
		{name: "end tag on a line of its own", template: "{{<p}}\n  {{$a}}\n    1\n  {{/a}}\n{{/p}}\n", partials: map[string]string{"p": "<\n{{$a}}{{/a}}>\n"}, want: "<\n1\n>\n"},
		{name: "empty argument", template: "{{<p}}{{$a}}{{/a}}{{/p}}", partials: map[string]string{"p": "1\n  {{$a}}old{{/a}}\n2"}, want: "1\n\n2"},
		{name: "default as it stands", template: "1\n  {{$a}}2\n 3{{/a}}\n4\n", want: "1\n  2\n 3\n4\n"},
		{name: "default in a partial with indentation", template: " {{>p}}\n", partials: map[string]string{"p": "1\n {{$a}}2\n3{{/a}}\n{{$b}}\n4\n{{/b}}\n"}, want: " 1\n  2\n 3\n 4\n"},
		{name: "argument and its partials indented", template: " {{<p}}{{$a}}\n\t1\n\t{{>q}}\n{{/a}}{{/p}}\n", partials: map[string]string{"p": "[\n  {{$a}}\n  {{/a}}\n]\n", "q": "2\n3\n"}, want: " [\n   1\n   2\n   3\n ]\n"},
		{name: "line with less than the intrinsic indentation", template: "{{<p}}{{$a}}\n    1\n  2\n{{/a}}{{/p}}", partials: map[string]string{"p": " {{$a}}{{/a}}"}, want: " 1\n   2\n"},
		{name: "block inside an argument belongs to its template", template: "{{>m}}|{{<m}}{{$a}}top{{/a}}{{/m}}", partials: map[string]string{"m": "{{<b}}{{$a}}<{{$a}}in{{/a}}>{{/a}}{{/b}}", "b": "{{$a}}old{{/a}}"}, want: "<in>|top"},
		{name: "last of two arguments", template: "{{<p}}{{$a}}1{{/a}}{{$a}}2{{/a}}{{/p}}", partials: map[string]string{"p": "{{$a}}{{/a}}"}, want: "2"},
		{name: "dynamic parent", template: "{{<*d}}{{$a}}new{{/a}}{{/*d}}{{< * d }}{{/ * d}}", data: `{"d":"p"}`, partials: map[string]string{"p": "[{{$a}}old{{/a}}]"}, want: "[new][old]"},
		{name: "unknown parent", template: "[{{<p}}{{$a}}x{{/a}}{{/p}}]", want: "[]"},
		{name: "delimiters of the place do not matter", template: "{{=| |=}}|<p||$a||v||/a||/p|", data: `{"v":1}`, partials: map[string]string{"p": "{{$a}}{{/a}}{{v}}|v|"}, want: "11|v|"},
		{name: "CRLF", template: "{{<p}}{{$a}}\r\n  1\r\n  2\r\n{{/a}}{{/p}}\r\n", partials: map[string]string{"p": "Hi\r\n {{$a}}\r\n {{/a}}\r\nend"}, want: "Hi\r\n 1\r\n 2\r\nend"},
	})
}
