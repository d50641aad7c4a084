package harper

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// packedMark begins a stored text that is not written as it is.
const packedMark = "\x01base64:"

// mostPlain is how long a text with other characters than ASCII may be, in bytes, to be written as it is.
const mostPlain = 256

// text is a text in a row. Harper 4.7.29 mangles rows of more than 64 KiB, their hashes included, when several of their
// texts are long and have other characters than ASCII; of any other row it keeps every byte. So such texts are packed:
// as the mark and their base64.
type text string

// MarshalJSON implements json.Marshaler.
func (t text) MarshalJSON() ([]byte, error) {
	plain := string(t)
	if strings.HasPrefix(plain, packedMark) || len(plain) > mostPlain && strings.ContainsFunc(plain, func(r rune) bool { return r >= utf8.RuneSelf }) {
		plain = packedMark + base64.StdEncoding.EncodeToString([]byte(plain))
	}
	return json.Marshal(plain)
}

// UnmarshalJSON implements json.Unmarshaler; null is empty.
func (t *text) UnmarshalJSON(body []byte) error {
	var plain string
	if err := json.Unmarshal(body, &plain); err != nil {
		return fmt.Errorf("a stored text: %T", err)
	}
	if packed, ok := strings.CutPrefix(plain, packedMark); ok {
		raw, err := base64.StdEncoding.DecodeString(packed)
		if err != nil {
			return fmt.Errorf("a stored text is broken: %T", err)
		}
		plain = string(raw)
	}
	*t = text(plain)
	return nil
}
