package controllers

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

const (
	// bindingType is of servicebinding.io; the part after the slash repeats the key "type".
	bindingType = "activemq"

	passwordKey = "password"
	usersKey    = "users.properties"

	// bcryptCost is the lowest: the password is 130 random bits, which no amount of hashing makes harder to guess, and
	// after a takeover every client's login pays for the hash at once.
	bcryptCost = bcrypt.MinCost
)

// applySecrets makes the binding that programs read, with a password that is generated once and then kept, and the
// users file that brokers read, which holds only its hash.
func (p *pass) applySecrets(ctx context.Context) error {
	password, err := p.password(ctx)
	if err != nil {
		return err
	}
	if err := p.apply(ctx, bindingSecret(p.cluster, password)); err != nil {
		return err
	}
	users, err := p.users(ctx, password)
	if err != nil {
		return err
	}
	return p.apply(ctx, usersSecret(p.cluster, users))
}

func (p *pass) password(ctx context.Context) (string, error) {
	key := types.NamespacedName{Namespace: p.cluster.Namespace, Name: bindingName(p.cluster)}
	binding, err := findLive(ctx, p.client, p.live, key, &corev1.Secret{})
	if err != nil {
		return "", err
	}
	if binding != nil && len(binding.Data[passwordKey]) > 0 {
		return string(binding.Data[passwordKey]), nil
	}
	return rand.Text(), nil
}

// users is the users file that is there, if its hash is of this password, and else a new one: a hash is salted, so that
// making it anew each time would be a change each time.
func (p *pass) users(ctx context.Context, password string) (string, error) {
	key := types.NamespacedName{Namespace: p.cluster.Namespace, Name: usersName(p.cluster)}
	users, err := findLive(ctx, p.client, p.live, key, &corev1.Secret{})
	if err != nil {
		return "", err
	}
	if users != nil {
		text := string(users.Data[usersKey])
		if hash, ok := strings.CutPrefix(strings.TrimSpace(text), p.cluster.Name+"="); ok && p.hashes.match(hash, password) {
			return text, nil
		}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcryptCost)
	if err != nil {
		return "", fmt.Errorf("hashing the password of Secret %s: %w: write a shorter one, or remove the key %s for a new one",
			bindingName(p.cluster), err, passwordKey)
	}
	return p.cluster.Name + "=" + string(hash) + "\n", nil
}

func bindingSecret(cluster *v1alpha1.BrokerCluster, password string) *corev1ac.SecretApplyConfiguration {
	data := map[string][]byte{
		"type":      []byte(bindingType),
		"provider":  []byte("twinmesh"),
		"url":       []byte(clusterURL(cluster)),
		"host":      []byte(cluster.Name + "." + cluster.Namespace + ".svc"),
		"port":      fmt.Append(nil, openWirePort(cluster)),
		"username":  []byte(cluster.Name),
		passwordKey: []byte(password),
	}
	for index := range cluster.Spec.Pairs {
		data[fmt.Sprintf("url-%d", index)] = []byte(pairURL(cluster, index))
	}
	return corev1ac.Secret(bindingName(cluster), cluster.Namespace).
		WithLabels(clusterLabels(cluster)).
		WithOwnerReferences(ownedBy(cluster)).
		WithType("servicebinding.io/" + bindingType).
		WithData(data)
}

func usersSecret(cluster *v1alpha1.BrokerCluster, users string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(usersName(cluster), cluster.Namespace).
		WithLabels(clusterLabels(cluster)).
		WithOwnerReferences(ownedBy(cluster)).
		WithType(corev1.SecretTypeOpaque).
		WithData(map[string][]byte{usersKey: []byte(users)})
}

// hashMemory remembers which hashes were found to be of which password, since finding it out is slow on purpose. It
// may be used by several passes at once.
type hashMemory struct {
	mu       sync.Mutex
	password map[string]string // by hash
}

func (m *hashMemory) match(hash, password string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.password[hash] == password {
		return true
	}
	if bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil {
		return false
	}
	if m.password == nil {
		m.password = map[string]string{}
	}
	m.password[hash] = password
	return true
}
