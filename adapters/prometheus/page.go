package prometheus

import (
	"bytes"
	"strings"
)

// help says what each metric of Templar's own means. TestMetricsPage of test/deploy sees that none lacks a text.
var help = map[string]string{
	"build_info":                     "The version of Templar and of Go, as labels; the value is always 1.",
	"http_requests_total":            "Requests that were answered.",
	"http_request_duration_seconds":  "Time from a request's first line to the end of its answer.",
	"http_requests_in_flight":        "Requests that are being answered.",
	"cache_requests_total":           "Reads of templates that the cache answered (hit) or the database did (miss).",
	"rate_limited_total":             "Requests that were answered with 429.",
	"auth_failures_total":            "Requests that were not let in, by reason.",
	"templates_rendered_total":       "Renderings.",
	"db_query_duration_seconds":      "Time that a query of the stores took, the wait for a connection included.",
	"db_pool_open_connections":       "Connections to the database, busy and idle.",
	"db_pool_in_use_connections":     "Connections to the database that work for somebody.",
	"db_pool_idle_connections":       "Connections to the database that wait for work.",
	"db_pool_max_connections":        "The most connections to the database that there may be.",
	"db_pool_waits_total":            "How often somebody waited for a connection to the database.",
	"db_pool_wait_seconds_total":     "How long connections to the database were waited for.",
	"db_probe_latency_seconds":       "Time that the last probe of the database took; NaN when it failed.",
	"redis_command_duration_seconds": "Time that a trip to Redis took; reads from the copy in this process are none.",
	"redis_probe_latency_seconds":    "Time that the last probe of Redis took; NaN when it failed.",
}

// helpOf is the text for a metric; what the library adds is told apart by its prefix.
func helpOf(name string) string {
	if text, own := help[name]; own {
		return text
	}
	if strings.HasPrefix(name, "go_") {
		return "From the Go runtime."
	}
	return "From the operating system, about this process."
}

// misnamed are metrics of the library whose names Prometheus' conventions give to other types; nothing is lost with them.
var misnamed = map[string]bool{"go_cgo_calls_count": true, "go_cpu_count": true, "go_gc_forced_count": true}

// tidy completes what the library writes: it has HELP lines without texts, and calls some counters gauges.
func tidy(page []byte) []byte {
	tidied := make([]byte, 0, len(page)+8<<10)
	for line := range bytes.Lines(page) {
		fields := strings.Fields(string(line))
		if len(fields) > 0 && misnamed[fields[0]] || len(fields) > 2 && fields[0] == "#" && misnamed[fields[2]] {
			continue
		}
		switch {
		case len(fields) == 3 && fields[1] == "HELP":
			line = []byte("# HELP " + fields[2] + " " + helpOf(fields[2]) + "\n")
		case len(fields) == 4 && fields[1] == "TYPE" && fields[3] == "gauge" && strings.HasSuffix(fields[2], "_total"):
			line = []byte("# TYPE " + fields[2] + " counter\n")
		}
		tidied = append(tidied, line...)
	}
	return tidied
}
