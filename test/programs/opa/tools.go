//go:build tools

// Package opa pins the policy engine that the tests of readers run.
package opa

import _ "github.com/open-policy-agent/opa"
