package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAuthorization(t *testing.T) {
	c, err := load(t, `
auth:
  groups: {admins: system, users: "system, user"}
  anonymousAccessAllowed: true
authorization:
  entries:
  - {queue: ">", read: "*", write: "admins,users", admin: [admins]}
  - {topic: "prices.*", read: [a, "b,c"]}
  - {default: true, admin: admins}
  tempDestinations: {read: users}
`)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	want := &Authorization{
		Entries: []AuthorizationEntry{
			{Queue: ">", Grant: Grant{Read: Names{"*"}, Write: Names{"admins", "users"}, Admin: Names{"admins"}}},
			{Topic: "prices.*", Grant: Grant{Read: Names{"a", "b", "c"}}},
			{Default: true, Grant: Grant{Admin: Names{"admins"}}},
		},
		TempDestinations: &Grant{Read: Names{"users"}},
	}
	if diff := cmp.Diff(want, c.Authorization); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]Names{"admins": {"system"}, "users": {"system", "user"}}, c.Auth.Groups); diff != "" {
		t.Error(diff)
	}
	if !c.Auth.AnonymousAccessAllowed || c.Auth.AnonymousUser != "anonymous" || c.Auth.AnonymousGroup != "anonymous" {
		t.Errorf("got %+v", c.Auth)
	}
}

func TestMistakesInAnAuthorization(t *testing.T) {
	for text, want := range map[string]string{
		"authorization: {entries: [{read: a}]}":                "an entry is for one of queue, topic or default",
		"authorization: {entries: [{queue: a, topic: b}]}":     "an entry is for one of queue",
		"authorization: {entries: [{queue: \"a,,b\"}]}":        "has no name",
		"authorization: {entries: [{queue: a, reads: b}]}":     `unknown key "reads"; did you mean "read"?`,
		"authorization: {}\nauth: {mode: off}":                 "turn it on",
		"auth: {groupsFile: /groups, groups: {admins: a}}":     "write all into one of them",
		"authorization: {entries: [{queue: a, read: {b: c}}]}": "cannot unmarshal",
	} {
		c, err := load(t, text)
		if err == nil {
			err = c.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
