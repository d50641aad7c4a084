package config

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// The parsers of this file turn the text of one variable into its typed value. Their errors say what would be right and
// never repeat the text, which may be a secret.

func parseInt(text string, low, high int) (int, error) {
	number, err := strconv.Atoi(text)
	if err != nil || number < low || number > high {
		return 0, fmt.Errorf("must be a whole number from %d to %d", low, high)
	}
	return number, nil
}

// parseDuration reads a Go duration; a bare number is seconds.
func parseDuration(text string, low, high time.Duration) (time.Duration, error) {
	duration, err := time.ParseDuration(text)
	if err != nil {
		duration, err = time.ParseDuration(text + "s")
	}
	if err != nil || duration < low || duration > high {
		return 0, fmt.Errorf("must be a duration from %s to %s, such as 30s, 1m30s or 250ms; a bare number is seconds", low, high)
	}
	return duration, nil
}

var sizeForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)? ?([a-zA-Z]+)?$`)

// parseSize reads bytes: a bare number, or one with a decimal (kB, MB, GB) or a binary (KiB, MiB, GiB) unit.
func parseSize(text string, low, high int64) (int64, error) {
	bytes, err := humanize.ParseBytes(text)
	if err != nil || !sizeForm.MatchString(text) || bytes > math.MaxInt64 || int64(bytes) < low || int64(bytes) > high {
		return 0, fmt.Errorf("must be a size from %d to %d bytes, such as 1048576, 64MiB or 64 MB", low, high)
	}
	return int64(bytes), nil
}

// parseBool reads the seed's True and False and the other usual spellings, in any case.
func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, errors.New("must be True or False (yes, no, on, off, 1 and 0 are read too)")
}

// parseChoice returns the choice that text names, in any case.
func parseChoice(text string, choices ...string) (string, error) {
	text = strings.ToLower(text)
	if slices.Contains(choices, text) {
		return text, nil
	}
	last := len(choices) - 1
	return "", fmt.Errorf("must be %s or %s", strings.Join(choices[:last], ", "), choices[last])
}

// checkText refuses what no name or path may hold.
func checkText(text string, maxBytes int) error {
	if len(text) > maxBytes {
		return fmt.Errorf("must have at most %d bytes", maxBytes)
	}
	if !utf8.ValidString(text) {
		return errors.New("must be valid UTF-8")
	}
	if strings.ContainsFunc(text, isControl) {
		return errors.New("must have no control characters")
	}
	return nil
}

func isControl(char rune) bool { return char < 0x20 || char == 0x7f || (char >= 0x80 && char < 0xa0) }

var (
	identifierForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	tableForm      = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	regionForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	bucketForm     = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]|arn:[A-Za-z0-9:/._-]{1,1000})$`)
)

// matching returns a check that text has the form; should is what to say otherwise.
func matching(form *regexp.Regexp, should string) func(string) error {
	return func(text string) error {
		if !form.MatchString(text) {
			return errors.New(should)
		}
		return nil
	}
}

// splitList splits at commas and trims; an empty part is an error.
func splitList(text string, most int) ([]string, error) {
	parts := strings.Split(text, ",")
	if len(parts) > most {
		return nil, fmt.Errorf("must list at most %d values", most)
	}
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
		if parts[i] == "" {
			return nil, fmt.Errorf("must be values with commas between them: value %d is empty", i+1)
		}
	}
	return parts, nil
}

// parseOrigins reads web origins (RFC 6454) or "*".
func parseOrigins(text string) ([]string, error) {
	origins, err := splitList(text, 1000)
	if err != nil {
		return nil, err
	}
	for i, origin := range origins {
		if origin == "*" {
			continue
		}
		parsed, err := url.Parse(origin)
		if err != nil || (!strings.EqualFold(parsed.Scheme, "http") && !strings.EqualFold(parsed.Scheme, "https")) ||
			parsed.User != nil || parsed.Path != "" || parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(origin, "#") ||
			!goodURLHost(parsed) {
			return nil, fmt.Errorf("must list origins such as https://app.example.com:8443, without a path, or *: value %d is none", i+1)
		}
		origins[i] = strings.ToLower(origin)
	}
	return origins, nil
}

// goodURLHost reports whether the URL has one host and, if any, a port in range.
func goodURLHost(parsed *url.URL) bool {
	hosts, err := parseHosts(parsed.Host, false)
	return err == nil && len(hosts) == 1
}

// parseBaseURL accepts an absolute http or https URL without user, query or fragment, and returns it without a slash at
// its end.
func parseBaseURL(text string) (string, error) {
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || !goodURLHost(parsed) {
		return "", errors.New("must be a URL such as http://localhost:4318")
	}
	if parsed.User != nil {
		return "", errors.New("must be a URL without user and password")
	}
	if parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(text, "#") {
		return "", errors.New("must be a URL without '?' and '#'")
	}
	return strings.TrimRight(text, "/"), nil
}

// parseNetworks reads networks in CIDR form and single addresses.
func parseNetworks(text string) ([]netip.Prefix, error) {
	parts, err := splitList(text, 1000)
	if err != nil {
		return nil, err
	}
	networks := make([]netip.Prefix, len(parts))
	for i, part := range parts {
		network, err := netip.ParsePrefix(part)
		if err != nil {
			address, addressErr := netip.ParseAddr(part)
			if addressErr != nil || address.Zone() != "" {
				return nil, fmt.Errorf("must list networks such as 10.0.0.0/8 or addresses such as 192.0.2.7: value %d is none", i+1)
			}
			address = address.Unmap()
			network = netip.PrefixFrom(address, address.BitLen())
		}
		if network.Addr().Is4In6() {
			return nil, fmt.Errorf("must list IPv4 networks in IPv4 form, such as 10.0.0.0/8: value %d is not", i+1)
		}
		networks[i] = network.Masked()
	}
	return networks, nil
}

const (
	minTokenBytes     = 8
	adviceTokenBytes  = 16
	minSecretKeyRunes = 8
)

// parseTokens reads bearer tokens. A token has to survive in a header, so it is visible ASCII.
func parseTokens(text string) ([]Secret, error) {
	parts, err := splitList(text, 1000)
	if err != nil {
		return nil, err
	}
	tokens := make([]Secret, len(parts))
	for i, part := range parts {
		if len(part) < minTokenBytes {
			return nil, fmt.Errorf("must list tokens of at least %d characters: token %d is shorter", minTokenBytes, i+1)
		}
		if strings.ContainsFunc(part, func(char rune) bool { return char <= ' ' || char > '~' }) {
			return nil, fmt.Errorf("must list tokens of visible ASCII characters without spaces: token %d has others", i+1)
		}
		tokens[i] = NewSecret(part)
	}
	return tokens, nil
}
