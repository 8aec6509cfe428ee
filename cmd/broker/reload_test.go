package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// replace puts a new configuration where Kubernetes puts a ConfigMap's: a directory to which a link leads that is moved at once.
func replace(t *testing.T, dir, version, text string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, version, "broker.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(version, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link, filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
}

// What the command line says is not taken for a change of the file.
func TestAConfigMapThatIsReplaced(t *testing.T) {
	dir := t.TempDir()
	replace(t, dir, "1", "name: orders-0\n")
	if err := os.Symlink(filepath.Join("..data", "broker.yaml"), filepath.Join(dir, "broker.yaml")); err != nil {
		t.Fatal(err)
	}
	p := startServe(t, "--config", filepath.Join(dir, "broker.yaml"), "--data", t.TempDir(), "--auth", "off").listening()

	replace(t, dir, "2", "name: orders-0\ndestinationPolicies:\n- default: true\n  queuePrefetch: 1\n")
	if restart := p.await(`msg="configuration read again" applied=destinationPolicies "needs a restart"=(\S+)`); restart != "nothing" {
		t.Errorf("%s needs a restart", restart)
	}
	replace(t, dir, "3", "name: orders-1\n")
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.await(`msg="configuration read again" applied=(destinationPolicies) "needs a restart"=name`)
	replace(t, dir, "4", "nome: orders-1\n")
	p.await(`(unknown key \S+nome)`)
	p.terminate()
}
