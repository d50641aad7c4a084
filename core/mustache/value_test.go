package mustache

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseDataKeepsWhatWasWritten(t *testing.T) {
	for text, want := range map[string]string{
		` null `:                         `null`,
		"\t[ ]\r\n":                      `[]`,
		`{ }`:                            `{}`,
		`[1.10, -0, 1e3, 1E+02, 0.0e-1]`: `[1.10,-0,1e3,1E+02,0.0e-1]`,
		`{"b":1,"a":{"d":[{}],"c":""}}`:  `{"b":1,"a":{"d":[{}],"c":""}}`,
		`"\u0041\n\/\\\"\ud83d\ude00é"`:  `"A\n/\\\"😀é"`,
		`{"\u0061":"\t\b\f\r\u001f"}`:    `{"a":"\t\b\f\r\u001f"}`,
		`[true,false,null,"x"]`:          `[true,false,null,"x"]`,
	} {
		v := mustData(t, text)
		if got := string(v.AppendJSON(nil)); got != want {
			t.Errorf("%s gives %s, want %s", text, got, want)
		}
	}
	if got := string(Value{}.AppendJSON(nil)); got != "null" {
		t.Errorf("zero Value: %s", got)
	}
}

func TestParseDataRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "{", "[", `"`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1 "b":2}`, `{a:1}`, "nul", "truee", "01", "-", "1.", ".5", "1e", "1e+", "+1",
		"NaN", "1 2", `{} x`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud800"`, `"\udc00"`, `"\ud800\u0041"`, "\"\xff\"", "\"\\n\xff\"", "\"a\nb\"", "\"\\t\x01\"", `"\`,
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, strings.Repeat("[", MaxDataDepth+1) + strings.Repeat("]", MaxDataDepth+1), "\ufeff{}",
	} {
		_, err := ParseData([]byte(text))
		var bad *DataError
		if !errors.As(err, &bad) || bad.Offset < 0 || bad.Offset > len(text) || bad.Problem == "" {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	if _, err := ParseData([]byte(strings.Repeat("[", MaxDataDepth) + strings.Repeat("]", MaxDataDepth))); err != nil {
		t.Errorf("as deep as allowed: %v", err)
	}
}

func TestLargeObjects(t *testing.T) {
	for _, n := range []int{maxLinear, maxLinear + 1, 1000} {
		var b strings.Builder
		b.WriteString(`{"first":{"x":[1]}`)
		for i := 1; i < n; i++ {
			fmt.Fprintf(&b, `,"k\u0065y%d":%d`, i, i)
		}
		v := mustData(t, b.String()+"}")
		for i := 1; i < n; i++ {
			at, found := v.data.find(0, fmt.Sprintf("key%d", i))
			if !found || v.data.text(at) != fmt.Sprint(i) {
				t.Fatalf("key%d of %d not found", i, n)
			}
		}
		if _, found := v.data.find(0, "key"); found {
			t.Error("found what is not there")
		}
		if _, err := ParseData([]byte(b.String() + `,"first":1}`)); err == nil {
			t.Errorf("a duplicate among %d keys was taken", n)
		}
	}
}

// FuzzParseData: nothing panics; what is taken is what encoding/json takes, and
// prints as encoding/json compacts it.
func FuzzParseData(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.50,-1e9,"x\u00e9\ud83d\ude00"],"b":{},"c":null}`, "[]", `"\"`, "1e", "[[[", "{\"a\":1,\"a\":2}", " true "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := ParseData(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("took %q", text)
		}
		printed := v.AppendJSON(nil)
		again, err := ParseData(printed)
		if err != nil || !bytes.Equal(again.AppendJSON(nil), printed) {
			t.Fatalf("%q prints as %q: %v", text, printed, err)
		}
		var a, b any
		if err := json.Unmarshal(text, &a); err != nil {
			// Numbers out of float64's range are all that may differ.
			return
		}
		if err := json.Unmarshal(printed, &b); err != nil {
			t.Fatal(err)
		}
		one, _ := json.Marshal(a)
		two, _ := json.Marshal(b)
		if !bytes.Equal(one, two) {
			t.Fatalf("%s and %s", one, two)
		}
	})
}

func TestMembers(t *testing.T) {
	body, err := ParseData([]byte(`{"data":{"a":[1,{"b":"\u00e9"}],"c":null},"strict":false,"escape":"none","n":7}`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Value{}
	if !body.Members(func(name string, v Value) { got[name] = v }) || len(got) != 4 {
		t.Fatalf("%d members", len(got))
	}
	if text, ok := got["escape"].Text(); !ok || text != "none" {
		t.Errorf("text %q, %t", text, ok)
	}
	if truth, ok := got["strict"].Truth(); !ok || truth {
		t.Errorf("truth %t, %t", truth, ok)
	}
	if _, ok := got["n"].Text(); ok {
		t.Error("a number is a text")
	}
	if _, ok := got["n"].Truth(); ok {
		t.Error("a number is true or false")
	}
	if got["n"].Members(func(string, Value) {}) {
		t.Error("a number is an object")
	}
	if json := string(got["data"].AppendJSON(nil)); json != `{"a":[1,{"b":"é"}],"c":null}` {
		t.Errorf("data is %s", json)
	}
	tree, err := Parse(`{{#a}}{{b}}{{/a}}{{.}}{{strict}}`)
	if err != nil {
		t.Fatal(err)
	}
	result, err := tree.Render(context.Background(), nil, got["data"], Options{Escape: EscapeNone})
	if want := `é{"a":[1,{"b":"é"}],"c":null}`; err != nil || string(result.Output) != want {
		t.Errorf("rendered %q, %v", result.Output, err)
	}
	if len(result.Missing) != 2 { // a.b of the number 1, and strict, which stands outside
		t.Errorf("missing %v", result.Missing)
	}
}
