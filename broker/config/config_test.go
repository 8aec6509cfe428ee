package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestAFileReplacesDefaults(t *testing.T) {
	c, err := load(t, "name: orders-0\nauth: {usersFile: /etc/users}\n")
	if err != nil || c.Name != "orders-0" || c.Auth.UsersFile != "/etc/users" || c.Auth.Mode != "on" || c.HTTP != Default().HTTP {
		t.Errorf("got %+v, %v", c, err)
	}
	if empty, err := load(t, ""); err != nil || empty.Name != "localhost" {
		t.Errorf("got %+v, %v", empty, err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"name: a\ndatta: /x\n":              `broker.yaml:2: unknown key "datta"; did you mean "data"?`,
		"auth:\n  usersfile: /x\n":          `broker.yaml:2: unknown key "usersfile"; did you mean "usersFile"?`,
		"openwire: tcp://127.0.0.1:61616\n": "line 1",
		"- a\n":                             "expected keys",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"off-everywhere":   func(c *Config) { c.Auth.Mode, c.OpenWire = "off", []string{"tcp://0.0.0.0:61616"} },
		"write on, off or": func(c *Config) { c.Auth.Mode = "no" },
		"tcp://HOST:PORT":  func(c *Config) { c.OpenWire = []string{"ssl://a:1"} },
		"unknown option":   func(c *Config) { c.OpenWire = []string{"tcp://a:1?maxConnections=3"} },
		"a number of 1":    func(c *Config) { c.OpenWire = []string{"tcp://a:1?maximumConnections=0"} },
		"needs a name":     func(c *Config) { c.Name = "" },
	} {
		c := Default()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", c, err, want)
		}
	}
	c := Default()
	c.Auth.Mode = "off"
	if err := c.Validate(); err != nil {
		t.Errorf("auth off on loopback: %v", err)
	}
}
