package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// maxValueBytes bounds the text of one variable.
const maxValueBytes = 64 << 10

// Register defines one flag for every variable. The flags take any text; Load checks it, so that all that is wrong is
// reported at once. It panics when flags has one of these names already, as pflag does.
func Register(flags *pflag.FlagSet) {
	for _, v := range variables {
		usage := v.meaning + " [" + v.name + "]"
		if v.secret {
			usage += "; other users of the machine can read a flag, the environment is safer"
		}
		flag := flags.VarPF(&flagValue{kind: v.kind}, flagName(v.name), "", usage)
		flag.DefValue = v.initial
		if v.kind == truth {
			flag.NoOptDefVal = "True"
		}
	}
}

// flagName is the name of a variable's flag, without the dashes before it.
func flagName(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// flagValue keeps a flag's text as it is. Its kinds are words that viper has no conversion for.
type flagValue struct{ text, kind string }

func (f *flagValue) String() string        { return f.text }
func (f *flagValue) Set(text string) error { f.text = text; return nil }
func (f *flagValue) Type() string          { return f.kind }

// given is the text of one variable and where it comes from.
type given struct {
	text     string
	source   string // as in Setting.Source
	line     int    // in `.env`, when it comes from there
	set      bool   // somebody gave a value: it is not the default
	borrowed bool   // the value was given under another name
}

// where is the source for a Problem: with the line in `.env`.
func (g given) where() string {
	if g.line > 0 {
		return fmt.Sprintf("%s line %d", g.source, g.line)
	}
	return g.source
}

// Load reads the configuration. Flags may be nil; those that Register did not define are left alone. Environ looks up one
// variable of the environment; nil is [os.LookupEnv]. DotenvPath is the `.env` file, which may be absent; empty is none.
//
// The error is an [*InvalidError] with everything that is wrong; there is no Config then.
func Load(flags *pflag.FlagSet, environ func(string) (string, bool), dotenvPath string) (*Config, error) {
	if environ == nil {
		environ = os.LookupEnv
	}
	entries, problems := readDotenv(dotenvPath)
	d := &draft{problems: problems}
	d.SDKEnvironment = d.checkNames(entries, environ)
	d.values = resolve(flags, environ, entries)
	d.warnQuotes()
	d.borrow("HTTP_HOST", "FLASK_HOST")
	d.borrow("HTTP_PORT", "FLASK_PORT", "GUNIPORT")
	d.applyAll()
	d.checkTogether()
	if len(d.problems) > 0 {
		return nil, &InvalidError{Problems: d.sortedProblems(), Warnings: d.Warnings}
	}
	d.settings = d.describe()
	return &d.Config, nil
}

// resolve asks viper for the text of every variable. The sources are noted in the order in which viper lets them win.
func resolve(flags *pflag.FlagSet, environ func(string) (string, bool), entries []dotenvEntry) map[string]given {
	source := viper.New()
	fromFile, fromEnvironment := map[string]any{}, map[string]any{}
	values := make(map[string]given, len(variables))
	for _, v := range variables {
		source.SetDefault(v.name, v.initial)
		value := given{source: "default"}
		for _, entry := range entries {
			if entry.name == v.name && !v.blank(entry.value) {
				fromFile[v.name] = entry.value
				value = given{source: ".env", line: entry.line, set: true}
			}
		}
		if text, found := environ(v.name); found && !v.blank(text) {
			fromEnvironment[v.name] = text
			value = given{source: "environment", set: true}
		}
		if flags != nil {
			if flag := flags.Lookup(flagName(v.name)); flag != nil {
				// The error of BindPFlag is about a nil flag.
				_ = source.BindPFlag(v.name, flag)
				if flag.Changed {
					value = given{source: "flag --" + flag.Name, set: true}
				}
			}
		}
		values[v.name] = value
	}
	// Both are maps of texts, which cannot fail to merge. The environment is merged over the file, rather than bound with
	// BindEnv, because its lookup is the caller's.
	_ = source.MergeConfigMap(fromFile)
	_ = source.MergeConfigMap(fromEnvironment)
	for _, v := range variables {
		value := values[v.name]
		value.text = source.GetString(v.name)
		if !v.raw {
			value.text = strings.TrimSpace(value.text)
		}
		if value.text == "" {
			// Only an empty flag comes here with set.
			value.text, value.set = v.initial, false
		}
		values[v.name] = value
	}
	return values
}

// blank reports whether text counts as unset.
func (v variable) blank(text string) bool {
	return text == "" || (!v.raw && strings.TrimSpace(text) == "")
}

// draft is a Config in the making.
type draft struct {
	Config
	values   map[string]given
	problems []Problem

	url          *databaseURL
	databasePort int
	redisHosts   []HostPort
	redisPort    int
}

func (d *draft) warn(format string, args ...any) {
	d.Warnings = append(d.Warnings, fmt.Sprintf(format, args...))
}

// wrong notes that the value of a variable cannot be right.
func (d *draft) wrong(name, why string) {
	value := d.values[name]
	problem := Problem{Variable: name, Source: value.where(), Why: why}
	if value.set {
		problem.Value = shown(lookup(name), value.text)
	} else {
		problem.Source = "not set"
	}
	d.problems = append(d.problems, problem)
}

// bad reports whether one of the variables has a problem already, so that what follows from it is not reported too.
func (d *draft) bad(names ...string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool { return slices.Contains(names, p.Variable) })
}

// isSet reports whether anybody gave the variable a value under its own name.
func (d *draft) isSet(name string) bool { return d.values[name].set && !d.values[name].borrowed }

// borrow gives a variable that nobody set the value of the first of its older names that somebody did set.
func (d *draft) borrow(name string, older ...string) {
	if d.values[name].set {
		return
	}
	for _, other := range older {
		if value := d.values[other]; value.set {
			value.source = other + " from " + value.source
			value.borrowed = true
			d.values[name] = value
			return
		}
	}
}

// applyAll turns every text into its typed value. A borrowed text that cannot be right is reported under its own name.
func (d *draft) applyAll() {
	for _, v := range variables {
		value := d.values[v.name]
		if value.text == "" {
			continue
		}
		var err error
		if len(value.text) > maxValueBytes {
			err = fmt.Errorf("must have at most %d bytes", maxValueBytes)
		} else {
			err = v.apply(d, value.text)
		}
		if err != nil && !value.borrowed {
			d.wrong(v.name, err.Error())
		}
	}
}

// sortedProblems are those of the `.env` file, then the others in the order of the table.
func (d *draft) sortedProblems() []Problem {
	place := map[string]int{}
	for i, v := range variables {
		place[v.name] = i + 1
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int { return place[a.Variable] - place[b.Variable] })
	return d.problems
}

// lookup returns the row of the table; the name must be one of it.
func lookup(name string) variable {
	at := slices.IndexFunc(variables, func(v variable) bool { return v.name == name })
	return variables[at]
}
