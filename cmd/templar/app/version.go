package app

import "runtime/debug"

// version is set by the release build (-ldflags "-X …/cmd/templar/app.version=1.2.3").
var version string

// Version names this build: the release, else the module's version or the commit that it was built from.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			return "0.0.0+" + setting.Value[:12]
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return "0.0.0+development"
}
