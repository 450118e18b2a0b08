//go:build tools

// Package servers pins the programs that the tests and the demo run: nothing here is compiled into Certwheel. They
// share one module, so that each library is compiled once for all of them.
package servers

import (
	_ "github.com/smallstep/certificates/cmd/step-ca"
	_ "go.etcd.io/etcd/server/v3"
	_ "helm.sh/helm/v3/cmd/helm"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-proxy"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
