package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretDoesNotShow(t *testing.T) {
	hidden := NewSecret("hunter2")
	holder := struct {
		Exported Secret
		inside   Secret
		list     []Secret
		Map      map[string]Secret
	}{hidden, hidden, []Secret{hidden}, map[string]Secret{"a": hidden}}
	hexed := fmt.Sprintf("%x", "hunter2")
	for _, value := range []any{hidden, &hidden, holder, &holder, []Secret{hidden}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%08.3f"} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, "hunter2") || strings.Contains(strings.ToLower(text), hexed) {
				t.Errorf("%s of %T shows it: %s", verb, value, text)
			}
		}
		encoded, err := json.Marshal(value)
		if err != nil || bytes.Contains(encoded, []byte("hunter2")) {
			t.Errorf("JSON of %T: %s, %v", value, encoded, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		if strings.Contains(log.String(), "hunter2") {
			t.Errorf("slog of %T: %s", value, log.String())
		}
	}
	encoded, err := json.Marshal(hidden)
	equal(t, "JSON", string(encoded), `"***"`)
	equal(t, "error of JSON", err, nil)
	equal(t, "Reveal", hidden.Reveal(), "hunter2")
	equal(t, "String", hidden.String(), "***")
	var none Secret
	equal(t, "the zero Secret", none.String()+none.Reveal(), "")
	equal(t, "Empty", none.Empty() && NewSecret("").Empty() && !hidden.Empty(), true)
}

// A configuration with a secret in every place where one fits prints none of them.
func TestConfigDoesNotShow(t *testing.T) {
	environment := map[string]string{"DB_ENGINE": "pg", "REDIS_HOST": "r.test", "DATABASE_URL": "postgres://u:hunter2@h/d?sslpassword=hunter2"}
	for _, v := range variables {
		if v.secret && v.name != "DATABASE_URL" {
			environment[v.name] = "hunter2-" + v.name
		}
	}
	c := sources{environment: environment, dotenv: "OTEL_EXPORTER_OTLP_HEADERS=key=hunter2"}.mustLoad(t)
	var table bytes.Buffer
	if err := WriteSettings(&table, c.Settings()); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"%v": fmt.Sprintf("%v", c), "%+v": fmt.Sprintf("%+v", *c), "%#v": fmt.Sprintf("%#v", *c), "settings": table.String(), "JSON": string(encoded),
		"DSN": fmt.Sprint(c.Database.PostgresDSN()),
	} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s shows a secret: %s", what, text)
		}
	}
	if !strings.Contains(c.Database.PostgresDSN().Reveal(), "password='hunter2'") {
		t.Error("the password did not reach the driver")
	}
}
