package openwire

// Text is a string that may be null. The zero Text is null; null and "" differ on the wire, and a client may ask which
// of them it got. A Text may be compared and be a map's key. It was chosen over *string because sessions mostly read:
// String never needs a check, and reading one allocates only the text.
type Text struct {
	text    string
	present bool
}

// S is the Text of a string; S("") is empty, not null.
func S(s string) Text { return Text{text: s, present: true} }

// String is the text, "" if it is null.
func (t Text) String() string { return t.text }

// IsNull tells whether there is no text.
func (t Text) IsNull() bool { return !t.present }
