//go:build tools

// Package main pins the programs that are built from other modules.
package main

import _ "go.etcd.io/etcd/etcdctl/v3"
