// Command keystores reads key stores with the libraries that Go programs use. See ../readers.ts for its input and output.
package main

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Println(runtime.Version())
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		entries, err := read(strings.Split(lines.Text(), " "))
		if err != nil {
			fmt.Fprintln(out, "error", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Fprintln(out, strings.Join(append([]string{"ok"}, entries...), " "))
		}
		must(out.Flush())
	}
	must(lines.Err())
}

func read(fields []string) ([]string, error) {
	password, store := decode(fields[1]), decode(fields[2])
	switch fields[0] {
	case "PKCS12":
		return readPKCS12(store, string(password))
	case "PKCS12-trust":
		return readTrustStore(store, string(password))
	default:
		return readJKS(store, password)
	}
}

// The library shows no aliases.
func readPKCS12(store []byte, password string) ([]string, error) {
	key, leaf, others, err := pkcs12.DecodeChain(store, password)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	chain := [][]byte{leaf.Raw}
	for _, each := range others {
		chain = append(chain, each.Raw)
	}
	return []string{entry("key", "", encoded, chain...)}, nil
}

func readTrustStore(store []byte, password string) ([]string, error) {
	certificates, err := pkcs12.DecodeTrustStore(store, password)
	if err != nil {
		return nil, err
	}
	var entries []string
	for _, each := range certificates {
		entries = append(entries, entry("trusted", "", nil, each.Raw))
	}
	return entries, nil
}

func readJKS(store, password []byte) ([]string, error) {
	ks := keystore.New(keystore.WithCaseExactAliases(), keystore.WithOrderedAliases())
	if err := ks.Load(bytes.NewReader(store), password); err != nil {
		return nil, err
	}
	var entries []string
	for _, alias := range ks.Aliases() {
		if ks.IsTrustedCertificateEntry(alias) {
			trusted, err := ks.GetTrustedCertificateEntry(alias)
			if err != nil {
				return nil, err
			}
			entries = append(entries, entry("trusted", alias, nil, trusted.Certificate.Content))
			continue
		}
		key, err := ks.GetPrivateKeyEntry(alias, password)
		if err != nil {
			return nil, err
		}
		var chain [][]byte
		for _, each := range key.CertificateChain {
			chain = append(chain, each.Content)
		}
		entries = append(entries, entry("key", alias, key.PrivateKey, chain...))
	}
	return entries, nil
}

func entry(kind, alias string, key []byte, chain ...[]byte) string {
	var certificates []string
	for _, each := range chain {
		certificates = append(certificates, encode(each))
	}
	return strings.Join([]string{kind, encode([]byte(alias)), encode(key), strings.Join(certificates, ",")}, ":")
}

func encode(data []byte) string {
	return base64.StdEncoding.EncodeToString(data)
}

func decode(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	must(err)
	return data
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
