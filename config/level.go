package config

import (
	"errors"
	"strconv"
	"strings"
)

// Level is a log level on the seed's scale, 10 (everything) to 50 (only the worst).
type Level int

// The levels that have names.
const (
	Debug    Level = 10
	Info     Level = 20
	Warning  Level = 30
	Error    Level = 40
	Critical Level = 50
)

// String returns the level's name, or its number when it has none.
func (l Level) String() string {
	switch l {
	case Debug:
		return "DEBUG"
	case Info:
		return "INFO"
	case Warning:
		return "WARNING"
	case Error:
		return "ERROR"
	case Critical:
		return "CRITICAL"
	}
	return strconv.Itoa(int(l))
}

// ParseLevel reads DEBUG, INFO, WARNING (or WARN), ERROR, CRITICAL in any case, or a number from 10 to 50.
func ParseLevel(text string) (Level, error) {
	switch strings.ToUpper(text) {
	case "DEBUG":
		return Debug, nil
	case "INFO":
		return Info, nil
	case "WARNING", "WARN":
		return Warning, nil
	case "ERROR":
		return Error, nil
	case "CRITICAL":
		return Critical, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < int(Debug) || number > int(Critical) {
		return 0, errors.New("must be DEBUG, INFO, WARNING, ERROR, CRITICAL or a number from 10 to 50")
	}
	return Level(number), nil
}
