package apidoc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

const someID = `"0190a5d2-7c1e-7d35-9a51-3f1c5ad2b6e4"`

// template is a whole answer; fields are replaced in it.
func templateWith(old, replacement string) string {
	whole := `{"templateid":` + someID + `,"name":"Welcome","description":"","content":"","syntax":"mustache","revision":1,` +
		`"author":"","created":"2026-11-22T02:29:00.123456Z","modified":null}`
	return strings.Replace(whole, old, replacement, 1)
}

func TestSchemasTakeAndRefuse(t *testing.T) {
	long := strings.Repeat("ä", 200)
	cases := []struct {
		schema string
		takes  []string
		not    []string
	}{
		{"NewTemplate",
			[]string{`{"name":"a"}`, `{"name":"` + long + `"}`, `{"name":" a "}`, `{"name":"a","content":"x\ny","syntax":"plain"}`,
				`{"name":"a","templateid":"0190A5D2-7C1E-7D35-9A51-3F1C5AD2B6E4"}`, templateWith("", ""),
				`{"name":"a","revision":"x","author":7,"created":null,"modified":{},"deleted":[]}`},
			[]string{`{}`, `[]`, `null`, `{"name":""}`, `{"name":"  "}`, `{"name":null}`, `{"name":7}`, `{"name":"` + long + `a"}`,
				`{"name":"a\u0000"}`, `{"name":"a\u0007b"}`, `{"name":"a\u0085b"}`, `{"name":"a","Name":"b"}`, `{"name":"a","colour":1}`,
				`{"name":"a","content":"\u0000"}`, `{"name":"a","content":null}`, `{"name":"a","syntax":"jinja"}`,
				`{"name":"a","templateid":"0190a5d27c1e7d359a513f1c5ad2b6e4"}`, `{"name":"a","description":"` + strings.Repeat("d", 2001) + `"}`}},
		{"TemplateReplacement",
			[]string{`{"name":"a"}`, templateWith("", "")},
			[]string{`{"content":"a"}`, `{"name":"a","description":null}`, `{"name":"a","templateid":"x"}`}},
		{"TemplatePatch",
			[]string{`{}`, `{"description":null,"content":null,"syntax":null}`, `{"content":"a"}`, templateWith("", "")},
			[]string{`{"name":null}`, `{"content":7}`, `{"syntax":"x"}`, `{"other":1}`, `[]`}},
		{"Template",
			[]string{templateWith("", ""), templateWith(`"Welcome"`, `""`), templateWith(`"2026-11-22T02:29:00.123456Z"`, "null")},
			[]string{templateWith("0190a5d2", "0190A5D2"), templateWith(".123456Z", ".123Z"), templateWith(".123456Z", ".123456+00:00"),
				templateWith(`"revision":1`, `"revision":0`), templateWith(`"author":"",`, ""), templateWith("{", `{"deleted":null,`)}},
		{"TemplateItem",
			[]string{templateWith(`"content":"",`, ""), templateWith("", ""), templateWith("{", `{"deleted":"2026-11-22T02:29:00.123456Z",`)},
			[]string{templateWith("{", `{"deleted":null,`), templateWith("{", `{"tidx":1,`)}},
		{"TemplatePage",
			[]string{`{"items":[]}`, `{"items":[],"next":"abc","total":0}`},
			[]string{`{}`, `{"items":null}`, `{"items":[],"next":""}`, `{"items":[],"next":null}`, `{"items":[],"total":-1}`}},
		{"NewKey",
			[]string{`{"user":"a","scopes":["keys:admin"]}`, `{"user":"a","scopes":["keys:admin"],"expires":null,"rate":null}`,
				`{"user":"a","scopes":["templates:read"],"expires":"2027-11-22T00:00:00+01:00","rate":0}`},
			[]string{`{"user":"a"}`, `{"user":"a","scopes":[]}`, `{"user":"","scopes":["keys:admin"]}`, `{"user":"a","scopes":["all"]}`,
				`{"user":"a","scopes":["keys:admin"],"rate":-1}`, `{"user":"a","scopes":["keys:admin"],"rate":1.5}`,
				`{"user":"a","scopes":["keys:admin"],"expires":7}`, `{"user":"a","scopes":["keys:admin"],"key":"x"}`}},
		{"Rotation",
			[]string{`{}`, `{"grace":null}`, `{"grace":0}`, `{"grace":2592000}`},
			[]string{`{"grace":-1}`, `{"grace":2592001}`, `{"grace":"60"}`, `{"other":1}`}},
		{"RenderRequest",
			[]string{`{}`, `{"data":null}`, `{"data":[1,"a",null]}`, `{"data":"a","strict":false,"escape":"none"}`, `{"data":1.50}`, `{"data":false,"escape":"html"}`},
			[]string{`[]`, `{"strict":"false"}`, `{"strict":null}`, `{"escape":"xml"}`, `{"escape":null}`, `{"content":"a"}`, `{"Data":{}}`}},
		{"ContentRenderRequest",
			[]string{`{"content":""}`, `{"content":"{{a}}","data":{"a":1},"strict":true,"escape":"html"}`},
			[]string{`{}`, `{"data":{}}`, `{"content":null}`, `{"content":"a","syntax":"plain"}`, `{"content":"a","revision":1}`}},
		{"Rendered",
			[]string{`{"output":"","revision":1,"missing":[]}`, `{"output":"a","revision":2,"missing":["a","items.b"]}`},
			[]string{`{"output":"a","missing":[]}`, `{"output":"a","revision":0,"missing":[]}`, `{"output":"a","revision":1,"missing":null}`, `{"output":"a","revision":1}`}},
		{"RenderedContent",
			[]string{`{"output":"","missing":[]}`},
			[]string{`{"output":"a","revision":1,"missing":[]}`, `{"missing":[]}`}},
		{"Variables",
			[]string{`{"variables":[]}`, `{"variables":[{"name":".","kind":"value","escaped":false},{"name":"*a.b","kind":"partial","escaped":false}]}`},
			[]string{`{}`, `{"variables":null}`, `{"variables":[{"name":"a","kind":"block","escaped":false}]}`, `{"variables":[{"name":"a","kind":"value"}]}`}},
		{"RevisionPage",
			[]string{`{"items":[]}`, `{"items":[{"revision":1,"author":"","modified":null,"name":""}],"next":"abc"}`},
			[]string{`{}`, `{"items":[],"next":""}`, `{"items":[],"total":1}`, `{"items":[{"revision":0,"author":"","modified":null,"name":""}]}`,
				`{"items":[{"revision":1,"author":"","modified":null,"name":"","content":""}]}`}},
		{"LabelName",
			[]string{`"a"`, `"0"`, `"production"`, `"v1.2_3-rc"`, `"` + strings.Repeat("a", 63) + `"`},
			[]string{`""`, `"A"`, `".a"`, `"-a"`, `"_a"`, `"a b"`, `"a/b"`, `"ä"`, `"a\n"`, `7`, `"` + strings.Repeat("a", 64) + `"`}},
		{"NewLabel",
			[]string{`{"revision":1}`, `{"revision":2147483647}`, `{"label":"x","revision":3,"user":7,"modified":null}`},
			[]string{`{}`, `{"revision":0}`, `{"revision":null}`, `{"revision":"3"}`, `{"revision":1.5}`, `{"revision":2147483648}`, `{"revision":1,"force":true}`}},
		{"Label",
			[]string{`{"label":"a","revision":1,"user":"","modified":null}`},
			[]string{`{"label":"a","revision":null,"user":"","modified":null}`, `{"label":"a","revision":1,"user":""}`}},
		{"LabelHistory",
			[]string{`{"items":[{"from":null,"to":1,"user":"a","time":"2026-11-22T02:29:00.123456Z"},{"from":1,"to":null,"user":"a","time":null}]}`},
			[]string{`{"items":[{"to":1,"user":"a","time":null}]}`, `{"items":[{"from":0,"to":1,"user":"a","time":null}]}`, `{}`}},
		{"ExportLine",
			[]string{templateWith("", ""), templateWith("{", `{"deleted":"2026-11-22T02:29:00.123456Z","labels":["a"],`), templateWith("{", `{"labels":[],`)},
			[]string{templateWith(`"content":"",`, ""), templateWith("{", `{"deleted":null,`), templateWith("{", `{"labels":null,`), templateWith("{", `{"labels":["A"],`)}},
		{"ImportLine",
			[]string{templateWith("", ""), `{"name":""}`, `{"name":null}`, templateWith("{", `{"tidx":1,"deleted":null,"labels":null,`),
				`{"name":"a","templateid":null,"description":null,"content":null,"syntax":null,"revision":null,"author":null,"created":null,"modified":null}`,
				`{"name":"a","created":"2019-03-01 09:30:00"}`, templateWith("{", `{"deleted":"2026-11-22T02:29:00.123456Z","labels":["a"],`)},
			[]string{`{}`, `{"name":7}`, `{"name":"a","content":7}`, `{"name":"a","revision":0}`, `{"name":"a","labels":["A"]}`, `{"name":"a","colour":1}`,
				`{"name":"a","templateid":"x"}`, `{"name":"a","syntax":""}`, `{"name":"a","created":7}`, `[]`, `null`}},
		{"ImportResult",
			[]string{`{"line":1,"templateid":` + someID + `,"result":"created"}`,
				`{"line":7,"result":"failed","problem":{"type":"/problems/invalid","title":"","status":422,"detail":"","instance":"x"}}`},
			[]string{`{"result":"created"}`, `{"line":0,"result":"created"}`, `{"line":1,"result":"stored"}`, `{"line":1,"templateid":null,"result":"failed"}`,
				`{"line":1,"result":"failed","problem":{"status":422}}`}},
		{"Problem",
			[]string{`{"type":"/problems/invalid","title":"","status":422,"detail":"","instance":"x","missing":["a","items.b"]}`,
				`{"type":"/problems/invalid","title":"","status":422,"detail":"","instance":"x","errors":[{"pointer":"/a~1b","detail":""}]}`},
			[]string{`{"type":"/problems/invalid","title":"","status":422,"detail":"","instance":"x","missing":[]}`,
				`{"type":"/problems/invalid","title":"","status":422,"detail":"","instance":"x","missing":[7]}`,
				`{"type":"/problems/other","title":"","status":422,"detail":"","instance":"x"}`,
				`{"type":"/problems/invalid","title":"","status":422,"detail":"","instance":"x","errors":[]}`,
				`{"type":"/problems/invalid","title":"","status":422,"detail":"","instance":"x","errors":[{"pointer":"name","detail":""}]}`,
				`{"type":"/problems/internal","title":"","status":500,"detail":"","instance":"x","stack":"main.go:7"}`}},
		{"NewCharacter",
			[]string{`{"name":"a","race":"human","class":"monk"}`, `{"name":" a ","race":"human","class":"monk","derived":{"x":1},"revision":null,"deleted":[]}`,
				`{"name":"a","race":"human","class":"monk","level":20,"subclass":"","alignment":"","state":{"currency":{"gp":1}},"equipment":[{"item":"dart"}]}`,
				`{"name":"a","race":"human","class":"monk","abilities":{"method":"rolled","rollid":"","base":{"str":18}},"choices":{"metamagic":["heightened-spell"]}}`},
			[]string{`{}`, `{"name":"a","race":"human"}`, `{"name":"a","race":"dwarf","class":"monk"}`, `{"name":"a","race":"human","class":"knight"}`, `{"name":" ","race":"human","class":"monk"}`,
				`{"name":"a","race":"human","class":"monk","level":21}`, `{"name":"a","race":"human","class":"monk","level":null}`, `{"name":"a","race":"human","class":"monk","colour":1}`,
				`{"name":"a","race":"human","class":"monk","state":{"mana":1}}`, `{"name":"a","race":"human","class":"monk","choices":{"skills":["A"]}}`,
				`{"name":"a","race":"human","class":"monk","equipment":[{"count":1}]}`, `{"name":"a","race":"human","class":"monk","abilities":{"base":{"luck":10}}}`}},
		{"CharacterPatch",
			[]string{`{}`, `{"state":null,"choices":{"skills":null},"abilities":{"base":{"str":null}}}`, `{"state":{"currency":{"gp":null},"spell_slots_used":{"1":null}}}`, `{"level":null,"multiclass":null}`},
			[]string{`{"name":null}`, `{"race":null}`, `{"state":{"mana":null}}`, `{"choices":{"skills":[null]}}`, `{"level":"3"}`}},
		{"LevelUp", []string{`{"class":"monk"}`, `{"class":"monk","hit_points":"rolled","choices":{}}`}, []string{`{}`, `{"class":"monk","hit_points":"max"}`, `{"class":"monk","choices":{"luck":[]}}`}},
		{"NewRoll", []string{`{"notation":"1d6"}`, `{"notation":"1d6","count":100,"seed":null}`}, []string{`{}`, `{"notation":""}`, `{"notation":"1d6","count":0}`, `{"notation":"1d6","seed":""}`}},
		{"EntityTags",
			[]string{`"*"`, `"\"3\""`, `"W/\"3\", \"4\""`, `"\"\""`},
			[]string{`"3"`, `""`, `"\"3"`, `"\"3\" \"4\""`, `"*, \"3\""`}},
		{"Time", []string{`"2026-11-22T02:29:00.123456Z"`}, []string{`"2026-11-22T02:29:00Z"`, `"2026-11-22 02:29:00.123456Z"`, `null`}},
	}
	schemas := load(t, YAML()).Components.Schemas
	for _, c := range cases {
		for i, text := range append(append([]string{}, c.takes...), c.not...) {
			var value any
			if err := json.Unmarshal([]byte(text), &value); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			err := schemas[c.schema].Value.VisitJSON(value, openapi3.EnableJSONSchema2020())
			if takes := i < len(c.takes); takes != (err == nil) {
				t.Errorf("%s and %.120s: takes it: %t, %v", c.schema, text, err == nil, err)
			}
		}
	}
}
