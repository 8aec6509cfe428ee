package security

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// groupsFile has a line group=user,user for each group. It is read again when it has changed.
type groupsFile struct {
	path   string
	text   []byte
	groups map[string][]string // of each user
}

// reload reads the file if it has changed, and tells whether it had.
func (f *groupsFile) reload() (changed bool, err error) {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return false, fmt.Errorf("reading the groups: %w", err)
	}
	if f.groups != nil && bytes.Equal(text, f.text) {
		return false, nil
	}
	groups := map[string][]string{}
	err = eachLine(text, "group=user,user", func(group, users string) error {
		addMembers(groups, group, strings.Split(users, ","))
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("%s: %w", f.path, err)
	}
	f.text, f.groups = text, groups
	return true, nil
}

// addMembers enters the members of a group.
func addMembers(groups map[string][]string, group string, users []string) {
	for _, user := range users {
		if user = strings.TrimSpace(user); user != "" {
			groups[user] = append(groups[user], group)
		}
	}
}
