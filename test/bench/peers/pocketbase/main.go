// Command pocketbase is a peer in the benchmarks: PocketBase as its documentation extends it, with a collection of
// templates, a user's token for a key, its rate limits and its request log on.
//
//	pocketbase ADDRESS FOLDER TEMPLATES BYTES
//
// It makes so many templates with so many bytes of content, whose ids are "tpl" and their number in twelve hexadecimal
// digits, writes a token that may do everything with them into FOLDER/token, and serves.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pocketbase:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("usage: pocketbase ADDRESS FOLDER TEMPLATES BYTES")
	}
	folder := arguments[1]
	count, err := strconv.Atoi(arguments[2])
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(arguments[3])
	if err != nil {
		return err
	}
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: filepath.Join(folder, "data"), HideStartBanner: true})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	if err := app.RunAllMigrations(); err != nil {
		return err
	}
	token, err := prepare(app, count, size)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "token"), []byte(token), 0o600); err != nil {
		return err
	}
	return apis.Serve(app, apis.ServeConfig{HttpAddr: arguments[0]})
}

// prepare makes the collection, its records and a user who may use it.
func prepare(app core.App, count, size int) (token string, err error) {
	settings := app.Settings()
	settings.RateLimits.Enabled = true
	settings.RateLimits.Rules = []core.RateLimitRule{{Label: "/api/", MaxRequests: 1_000_000_000, Duration: 60}}
	if err := app.Save(settings); err != nil {
		return "", err
	}
	templates := core.NewBaseCollection("templates")
	signedIn := types.Pointer(`@request.auth.id != ""`)
	templates.ListRule, templates.ViewRule, templates.CreateRule = signedIn, signedIn, signedIn
	templates.Fields.Add(&core.TextField{Name: "name", Required: true}, &core.TextField{Name: "description"},
		&core.TextField{Name: "content", Max: 1 << 20}, &core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "modified", OnCreate: true, OnUpdate: true})
	templates.AddIndex("templates_created", false, "created, id", "")
	if err := app.Save(templates); err != nil {
		return "", err
	}
	content := strings.Repeat("Dear {{name}}, thank you. ", 1+size/26)[:size]
	err = app.RunInTransaction(func(tx core.App) error {
		for i := 1; i <= count; i++ {
			r := core.NewRecord(templates)
			r.Set("id", fmt.Sprintf("tpl%012x", i))
			r.Set("name", fmt.Sprint("Template ", i))
			r.Set("description", "made for a benchmark")
			r.Set("content", content)
			if err := tx.Save(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	// Without a superuser PocketBase opens a browser.
	if _, err := newUser(app, core.CollectionNameSuperusers); err != nil {
		return "", err
	}
	user, err := newUser(app, "users")
	if err != nil {
		return "", err
	}
	return user.NewStaticAuthToken(24 * time.Hour)
}

func newUser(app core.App, collection string) (*core.Record, error) {
	users, err := app.FindCollectionByNameOrId(collection)
	if err != nil {
		return nil, err
	}
	user := core.NewRecord(users)
	user.SetEmail("bench@example.org")
	user.SetPassword("a password of the benchmarks")
	return user, app.Save(user)
}
