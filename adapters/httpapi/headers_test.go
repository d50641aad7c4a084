package httpapi

import (
	"net/http"
	"net/netip"
	"reflect"
	"testing"

	"github.com/labstack/echo/v4"

	"bitbucket.org/templar/templar/core/change"
)

func TestTraceParent(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for given, kept := range map[string]bool{
		"00-" + id + "-00f067aa0ba902b7-01":                              true,
		"cc-" + id + "-00f067aa0ba902b7-01-what-the-future-will-be-like": true,
		"":                                    false,
		"00-" + id + "-00f067aa0ba902b7-01-x": false, // version 00 has four fields
		"ff-" + id + "-00f067aa0ba902b7-01":   false,
		"00-" + id + "-0000000000000000-01":   false,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": false,
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01": false,
		"00-" + id: false,
	} {
		got := traceID([]string{given})
		if (got == id) != kept || len(got) != 32 {
			t.Errorf("%q gives the trace %s", given, got)
		}
	}
}

func TestPrecondition(t *testing.T) {
	for given, want := range map[string]*change.Precondition{
		`*`:                      {Any: true},
		`"3"`:                    {Revisions: []int{3}},
		`"3", "4" ,"5"`:          {Revisions: []int{3, 4, 5}},
		`W/"3", "4"`:             {Revisions: []int{4}},
		`"abc","03","+3","3 "`:   nil,
		`"abc","03","+3","-3"`:   {Revisions: []int{-3}},
		`"99999999999999999999"`: {},
		`3`:                      nil,
		`"3`:                     nil,
		`"3",`:                   nil,
		`"3" "4"`:                nil,
	} {
		got, err := precondition(http.Header{"If-Match": {given}})
		if (err != nil) != (want == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", given, got, err)
		}
	}
	if got, err := precondition(http.Header{}); got != nil || err != nil {
		t.Errorf("no header: %v, %v", got, err)
	}
	if got, err := precondition(http.Header{"If-Match": {`"1"`, `"2"`}}); err != nil || len(got.Revisions) != 2 {
		t.Errorf("two lines: %v, %v", got, err)
	}
}

func TestClientAddress(t *testing.T) {
	request := func(peer string, forwarded ...string) *http.Request {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
		for _, f := range forwarded {
			r.Header.Add(echo.HeaderXForwardedFor, f)
		}
		r.Header.Set(echo.HeaderXRealIP, "6.6.6.6")
		return r
	}
	direct := clientAddress(nil)
	if got := direct(request("192.0.2.1:1", "1.1.1.1")); got != "192.0.2.1" {
		t.Errorf("without trusted proxies a header is believed: %s", got)
	}
	behind := clientAddress([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")})
	for _, c := range []struct {
		r    *http.Request
		want string
	}{
		{request("10.0.0.1:1", "203.0.113.7"), "203.0.113.7"},
		{request("10.0.0.1:1", "6.6.6.6, 203.0.113.7, 10.9.9.9"), "203.0.113.7"},
		{request("[2001:db8::1]:1", "203.0.113.7"), "203.0.113.7"},
		{request("192.0.2.1:1", "203.0.113.7"), "192.0.2.1"},
		{request("127.0.0.1:1", "203.0.113.7"), "127.0.0.1"},
	} {
		if got := behind(c.r); got != c.want {
			t.Errorf("%s with %v is %s, wanted %s", c.r.RemoteAddr, c.r.Header, got, c.want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "x": "x",
	} {
		if got := network(address); got != want {
			t.Errorf("%s counts as %s, wanted %s", address, got, want)
		}
	}
}

func TestParseObjectKeepsNothingOfBrokenInput(t *testing.T) {
	o, err := parseObject([]byte(`{"a":1,"b":{"c":[1,2]},"d":"x"}`))
	if err != nil || string(o.fields["b"]) != `{"c":[1,2]}` || len(o.fields) != 3 {
		t.Errorf("%v, %v", o, err)
	}
}

func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":"\ud83c\udf89"}`, `{"a":{"a":1,"a":2}}`, "{\"a\":\"\xff\"}", `[`, `{"a":1}{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := parseObject(raw)
		if (o == nil) == (err == nil) {
			t.Fatalf("%v, %v", o, err)
		}
		if err == nil {
			o.text("a")
			o.integer("b", 0, 0, 9)
			o.moment("c")
			o.texts("d")
			_ = o.done()
		}
	})
}
