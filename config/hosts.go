package config

import (
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// HostPort is one server. Host is a name, an address without brackets or, for PostgreSQL, the folder of a Unix socket.
type HostPort struct {
	Host string
	Port int
}

// String is host:port, an IPv6 address in brackets.
func (h HostPort) String() string { return net.JoinHostPort(h.Host, strconv.Itoa(h.Port)) }

// maxHosts bounds a list of servers.
const maxHosts = 64

// Underscores are no part of host names on the Internet, but of many names that container networks give.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$`)

// parseHosts reads host, host:port, address, [IPv6]:port, and with sockets also /folder, with commas between them. The port
// is 0 where none is given.
func parseHosts(text string, sockets bool) ([]HostPort, error) {
	if strings.Contains(text, "://") {
		return nil, errors.New("must be a host name or address, not a URL")
	}
	parts, err := splitList(text, maxHosts)
	if err != nil {
		return nil, err
	}
	hosts := make([]HostPort, len(parts))
	for i, part := range parts {
		if hosts[i], err = parseHost(part, sockets); err != nil {
			return nil, err
		}
	}
	return hosts, nil
}

func parseHost(text string, sockets bool) (HostPort, error) {
	if sockets && strings.HasPrefix(text, "/") {
		return HostPort{Host: text}, checkText(text, 100)
	}
	host, port := text, ""
	if address, err := netip.ParseAddr(text); err != nil || !address.Is6() {
		if at := strings.LastIndexByte(text, ':'); at >= 0 {
			host, port = text[:at], text[at+1:]
			if port == "" {
				return HostPort{}, errors.New("must have a port number after the ':'")
			}
		}
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
		if address, err := netip.ParseAddr(host); err != nil || !address.Is6() {
			return HostPort{}, errors.New("must have an IPv6 address between the brackets")
		}
	} else if !goodHost(host) || (strings.Contains(host, ":") && port != "") {
		return HostPort{}, errors.New("must be a host name or address, such as localhost, 192.0.2.7 or [2001:db8::7]:6379")
	}
	if port == "" {
		return HostPort{Host: host}, nil
	}
	number, err := parseInt(port, 1, 65535)
	if err != nil {
		return HostPort{}, errors.New("must have a port from 1 to 65535 after the ':'")
	}
	return HostPort{Host: host, Port: number}, nil
}

// goodHost reports whether host is a name or an address.
func goodHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	// A last part of digits alone is a wrong address such as 300.1.1.1, or a port on the wrong side of a comma.
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	return hostForm.MatchString(host) && strings.Trim(last, "0123456789") != ""
}

// parseListenHost reads the one host to listen on.
func parseListenHost(text string) (string, error) {
	host := text
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		host = text[1 : len(text)-1]
	}
	if !goodHost(host) {
		return "", errors.New("must be one host name or address without a port, such as 127.0.0.1, localhost or 0.0.0.0")
	}
	return host, nil
}

// parseListenAddress reads host:port or :port; port 0 is any free one.
func parseListenAddress(text string) (string, error) {
	wrong := errors.New("must be host:port or :port, such as 127.0.0.1:9100")
	host, port, err := net.SplitHostPort(text)
	if err != nil || (host != "" && !goodHost(host)) {
		return "", wrong
	}
	number, err := parseInt(port, 0, 65535)
	if err != nil {
		return "", wrong
	}
	return net.JoinHostPort(host, strconv.Itoa(number)), nil
}

// withPort fills in the port of the hosts that have none.
func withPort(hosts []HostPort, port int) []HostPort {
	filled := make([]HostPort, len(hosts))
	for i, host := range hosts {
		if host.Port == 0 {
			host.Port = port
		}
		filled[i] = host
	}
	return filled
}
