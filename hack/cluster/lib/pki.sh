# shellcheck shell=bash
# Keys, certificates, and the kubeconfig files made of them. They live as long as the cluster.

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30)

pki_start() {
  mkdir -p "$state/pki"
  openssl req -x509 "${new_key[@]}" -subj /CN="$name" -keyout "$state/pki/ca.key" -out "$state/pki/ca.crt" 2>/dev/null
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$state/pki/service-accounts.key"
  openssl pkey -in "$state/pki/service-accounts.key" -pubout -out "$state/pki/service-accounts.pub"
}

# certificate FILE SUBJECT [ALTERNATIVE_NAMES]
certificate() {
  openssl req -x509 "${new_key[@]}" -CA "$state/pki/ca.crt" -CAkey "$state/pki/ca.key" \
    -subj "$2" -addext "subjectAltName=${3:-DNS:$1}" -addext basicConstraints=CA:false \
    -keyout "$state/pki/$1.key" -out "$state/pki/$1.crt" 2>/dev/null
}

# user FILE SUBJECT [ALTERNATIVE_NAMES]: a certificate, and the kubeconfig FILE.conf that holds it.
user() {
  certificate "$@"
  cat >"$state/$1.conf" <<CONFIG
apiVersion: v1
kind: Config
clusters:
- name: $name
  cluster:
    server: https://$control_plane:6443
    certificate-authority-data: $(base64 -w0 "$state/pki/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$state/pki/$1.crt")
    client-key-data: $(base64 -w0 "$state/pki/$1.key")
contexts:
- name: $name
  context: {cluster: $name, user: $1}
current-context: $name
CONFIG
  chmod 600 "$state/$1.conf"
}
