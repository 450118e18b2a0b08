//go:build tools

// Package caddy pins the web server that the tests of readers run.
package caddy

import _ "github.com/caddyserver/caddy/v2/cmd/caddy"
