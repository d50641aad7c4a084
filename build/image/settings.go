package main

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// labels describe the image, by the names of
// https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md.
func labels(c commit) map[string]string {
	const prefix = "org.opencontainers.image."
	return map[string]string{
		prefix + "title":         "Templar",
		prefix + "description":   "Stores, versions and renders text templates for other programs",
		prefix + "url":           "https://bitbucket.org/templar/templar",
		prefix + "source":        "https://bitbucket.org/templar/templar",
		prefix + "documentation": "https://bitbucket.org/templar/templar/src/main/README.md",
		prefix + "licenses":      "MPL-2.0",
		prefix + "version":       c.version,
		prefix + "revision":      c.revision,
		prefix + "created":       c.made.Format(time.RFC3339),
	}
}

// settings are how a container of the image runs.
func settings(c commit) v1.Config {
	return v1.Config{
		User:         "65532:65532",
		Entrypoint:   []string{"/templar"},
		Cmd:          []string{"serve"},
		WorkingDir:   "/",
		Env:          []string{"HTTP_HOST=0.0.0.0"},
		ExposedPorts: map[string]struct{}{"9000/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
		StopSignal:   "SIGTERM",
		Labels:       labels(c),
		// OCI's configuration does not know it, but keeps it, and docker runs it; podman only from Docker's own format.
		Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "/templar", "healthcheck"},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 10 * time.Second, Retries: 3},
	}
}

// withSettings is the configuration of an image with these settings.
func withSettings(image v1.Image, c commit, p v1.Platform) *v1.ConfigFile {
	now, err := image.ConfigFile()
	if err != nil { // an image that this program made has one
		now = &v1.ConfigFile{}
	}
	configured := now.DeepCopy()
	configured.OS, configured.Architecture = p.OS, p.Architecture
	configured.Created = v1.Time{Time: c.made}
	configured.Author = ""
	configured.Config = settings(c)
	return configured
}
