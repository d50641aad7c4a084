package e2e

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"bitbucket.org/templar/templar/test/servers"
)

// The document describes Markdown as a plain string.
func init() {
	openapi3filter.RegisterBodyDecoder("text/markdown", func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		text, err := io.ReadAll(body)
		return string(text), err
	})
}

// mialee is a caster in the middle of play, whose player typed what is special to somebody.
const mialee = `{"name":"<script>alert(1)</script> *Mialee* [x](y)","player":"A & \"B\" | C","race":"high-elf","class":"wizard","subclass":"school-of-evocation","level":5,"alignment":"chaotic-good","background":"acolyte",
	"abilities":{"method":"standard-array","base":{"str":8,"dex":14,"con":13,"int":15,"wis":12,"cha":10}},
	"choices":{"skills":["arcana","investigation"],"cantrips":["fire-bolt","light","mage-hand","prestidigitation","ray-of-frost"],"languages":["draconic","celestial","giant"],"improvements":[{"level":4,"abilities":{"int":2}}]},
	"spells":["magic-missile","shield","detect-magic","misty-step","fireball"],
	"equipment":[{"item":"dagger","count":2,"equipped":true},{"item":"light-crossbow"},{"item":"spellbook"}],
	"state":{"hp":17,"temp_hp":3,"conditions":["prone"],"spell_slots_used":{"1":2,"3":1},"currency":{"gp":42}}}`

func TestSheets(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory"})
	path := i.do(t, "POST", "/v1/characters", mialee).want(201).Header.Get("Location")
	sheet := func(accept string) *answer {
		return i.do(t, "GET", path+"/sheet", nil, header{"Accept", accept}).want(200)
	}
	for accept, want := range map[string]string{
		"": "text/plain", "*/*": "text/plain", "text/*": "text/plain", "text/plain": "text/plain", "text/markdown": "text/markdown", "text/html": "text/html",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "text/html", "text/plain;q=0.5, text/markdown;q=0.7": "text/markdown",
		"text/html;q=0, */*": "text/plain", "text/plain;q=0, text/*": "text/markdown", "application/json": "text/plain", "image/webp": "text/plain", "*/*;q=0": "text/plain",
		"TEXT/HTML; Q=0.9": "text/html", ";;,": "text/plain", "text/html;q=x, text/markdown;q=0.1": "text/markdown", "text/plain;q=NaN, text/html;q=0.1": "text/html",
	} {
		if got := sheet(accept).Header.Get("Content-Type"); got != want+"; charset=utf-8" {
			t.Errorf("Accept %q is answered with %s", accept, got)
		}
	}
	text, markdown, page := string(sheet("text/plain").Body), string(sheet("text/markdown").Body), string(sheet("text/html").Body)
	for name, what := range map[string]struct {
		sheet       string
		has, hasNot []string
	}{
		"text":     {text, []string{"<script>alert(1)</script> *Mialee* [x](y)", `A & "B" | C`, "Wizard 5 (School of Evocation)", "High Elf", "17 of", "Fireball", "Arcana", "42 gp", "Prone"}, []string{"{{", "&amp;", "&lt;"}},
		"markdown": {markdown, []string{`&lt;script&gt;alert(1)&lt;/script&gt; \*Mialee\* \[x\](y)`, `A &amp; "B" \| C`, "| Strength |", "Fireball"}, []string{"{{", "<script"}},
		"page":     {page, []string{"&lt;script&gt;alert(1)&lt;/script&gt; *Mialee* [x](y)", "A &amp; &quot;B&quot; | C", "@page", "Fireball", `id="armor-class">13<`, `id="hp">17<`}, []string{"{{", "<script", "http://", "src=", "@import", "url("}},
	} {
		for _, wanted := range append(what.has, "System Reference Document 5.1") {
			if !strings.Contains(what.sheet, wanted) {
				t.Errorf("the %s lacks %q", name, wanted)
			}
		}
		for _, wrong := range what.hasNot {
			if strings.Contains(what.sheet, wrong) {
				t.Errorf("the %s has %q", name, wrong)
			}
		}
	}
	if t.Failed() {
		t.Logf("%s\n\n%s\n\n%s", text, markdown, page)
	}

	a := sheet("text/html")
	if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(a.Header.Get("Vary")+strings.Join(a.Header.Values("Vary"), ","), "Accept") {
		t.Errorf("the page says %v", a.Header)
	}
	tag := a.Header.Get("ETag")
	i.do(t, "GET", path+"/sheet", nil, header{"Accept", "text/html"}, header{"If-None-Match", tag}).want(304)
	i.do(t, "GET", path+"/sheet", nil, header{"If-None-Match", tag}).want(200)
	i.do(t, "HEAD", path+"/sheet", nil, header{"Accept", "text/html"}).want(200).headerHas("ETag", tag)
	i.do(t, "POST", path+"/damage", `{"amount":4}`).want(200)
	i.do(t, "GET", path+"/sheet", nil, header{"Accept", "text/html"}, header{"If-None-Match", tag}).want(200)
	i.do(t, "GET", path+"/sheet?colour=red", nil).want(400)
}

func TestSheetsOfStoredTemplates(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, i *service) {
		path := i.do(t, "POST", "/v1/characters", mialee).want(201).Header.Get("Location")
		id := i.create(t, "card", "{{name}} / {{player}} has {{derived.armor_class}} and {{state.hp}} {{nothing}}{{#equipment}}{{item}};{{/equipment}}")
		i.do(t, "PATCH", "/v1/templates/"+id, map[string]any{"content": "Now: {{name}}"}).want(200)
		i.do(t, "PUT", "/v1/templates/"+id+"/labels/party", `{"revision":1}`).want(200)
		get := func(query, accept, want string) {
			t.Helper()
			a := i.do(t, "GET", path+"/sheet?template="+query, nil, header{"Accept", accept}).want(200).headerHas("Content-Security-Policy", "sandbox")
			if string(a.Body) != want {
				t.Errorf("%s as %s: %s, wanted %s", query, accept, a.Body, want)
			}
		}
		const rest = " has 13 and 17 dagger;light-crossbow;spellbook;"
		get(id, "text/plain", "Now: <script>alert(1)</script> *Mialee* [x](y)")
		get(strings.ToUpper(id), "text/html", "Now: &lt;script&gt;alert(1)&lt;/script&gt; *Mialee* [x](y)")
		get(id+"&revision=1", "text/html", "&lt;script&gt;alert(1)&lt;/script&gt; *Mialee* [x](y) / A &amp; &quot;B&quot; | C"+rest)
		get(id+"&label=party", "text/markdown", `&lt;script&gt;alert(1)&lt;/script&gt; \*Mialee\* \[x\](y) / A &amp; "B" \| C`+rest)
		for query, status := range map[string]int{
			"template=x": 400, "template=": 400, "revision=1": 400, "label=party": 400, "template=" + id + "&revision=1&label=party": 400, "template=" + id + "&revision=0": 400,
			"template=" + id + "&revision=7": 404, "template=" + id + "&label=nobody": 404, "template=00000000-0000-0000-0000-000000000000": 404,
		} {
			i.do(t, "GET", path+"/sheet?"+query, nil).want(status)
		}
		endless := i.create(t, "endless", "{{#derived.skills}}{{> endless}}{{/derived.skills}}")
		i.do(t, "GET", path+"/sheet?template="+endless, nil).want(422)
	})
}

// browse runs a headless browser on a page and gives what it wrote.
func browse(t *testing.T, arguments ...string) []byte {
	t.Helper()
	servers.Package(t, "chromium", func() bool { _, err := exec.LookPath("chromium"); return err == nil })
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	standard := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + t.TempDir()}
	command := exec.CommandContext(ctx, "chromium", append(standard, arguments...)...)
	command.WaitDelay = 5 * time.Second
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, complaints.String())
	}
	return out
}

// TestTheSheetInABrowser looks at the printable page as a browser shows and prints it.
func TestTheSheetInABrowser(t *testing.T) {
	t.Parallel()
	i := start(t, settings{"DB_ENGINE": "memory"})
	path := i.do(t, "POST", "/v1/characters", mialee).want(201).Header.Get("Location")
	folder := t.TempDir()
	file, picture, paper := filepath.Join(folder, "sheet.html"), filepath.Join(folder, "sheet.png"), filepath.Join(folder, "sheet.pdf")
	if err := os.WriteFile(file, i.do(t, "GET", path+"/sheet", nil, header{"Accept", "text/html"}).want(200).Body, 0o600); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: file}).String()

	dom := string(browse(t, "--dump-dom", address))
	for id, want := range map[string]string{"armor-class": "13", "initiative": `\+3`, "max-hp": "27", "hp": "17", "temp-hp": "3", "proficiency-bonus": `\+3`, "passive-perception": "14", "speed": "30"} {
		if !regexp.MustCompile(`id="` + id + `">` + want + `<`).MatchString(dom) {
			t.Errorf("the page does not show %s for %s", want, id)
		}
	}
	if strings.Contains(dom, "<script") || !strings.Contains(dom, "<title>&lt;script&gt;") {
		t.Error("what the player typed became a part of the page")
	}
	if t.Failed() {
		t.Log(dom)
	}

	browse(t, "--window-size=820,1160", "--screenshot="+picture, address)
	if why := blank(picture); why != "" {
		t.Errorf("the screenshot %s", why)
	}
	browse(t, "--no-pdf-header-footer", "--print-to-pdf="+paper, address)
	printed, err := os.ReadFile(paper)
	if pages := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(printed, -1)); err != nil || pages < 1 || pages > 3 {
		t.Errorf("it prints %d pages, %v", pages, err)
	}
}

// blank says what a picture lacks to be a sheet: dark text on white, all over the page; "" for nothing.
func blank(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		return err.Error()
	}
	const parts = 4
	var dark [parts][parts]int
	white, all := 0, 0
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			switch lightness := lightnessAt(picture, x, y); {
			case lightness > 0xf000:
				white++
			case lightness < 0x6000:
				dark[(y-bounds.Min.Y)*parts/bounds.Dy()][(x-bounds.Min.X)*parts/bounds.Dx()]++
			}
			all++
		}
	}
	if white < all/2 {
		return "is not on white"
	}
	for _, row := range dark {
		for _, n := range row {
			if n < 20 {
				return "has an empty part"
			}
		}
	}
	return ""
}

func lightnessAt(picture image.Image, x, y int) uint32 {
	r, g, b, _ := picture.At(x, y).RGBA()
	return (r + g + b) / 3
}
