//go:build tools

// Package programs pins the tools that people make CAs with, as far as they are Go modules.
package programs

import (
	_ "filippo.io/mkcert"
	_ "github.com/cloudflare/cfssl/cmd/cfssl"
	_ "github.com/cloudflare/cfssl/cmd/cfssljson"
	_ "github.com/jsha/minica"
)
