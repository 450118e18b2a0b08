package main

import (
	"crypto/tls"
	"encoding/json"
)

// Identity is what a server takes from the client's certificate once it is verified.
type Identity struct {
	CommonName    string   `json:"commonName"`
	Organizations []string `json:"organizations"`
	Units         []string `json:"units"`
	URIs          []string `json:"uris"`
	// Lower-case hex.
	Serial   string `json:"serial"`
	Protocol string `json:"protocol"`
}

func identityOf(state *tls.ConnectionState) string {
	leaf := state.PeerCertificates[0]
	identity := Identity{
		CommonName:    leaf.Subject.CommonName,
		Organizations: leaf.Subject.Organization,
		Units:         leaf.Subject.OrganizationalUnit,
		Serial:        leaf.SerialNumber.Text(16),
		Protocol:      tls.VersionName(state.Version),
	}
	for _, uri := range leaf.URIs {
		identity.URIs = append(identity.URIs, uri.String())
	}
	text, err := json.Marshal(identity)
	must(err)
	return string(text)
}
