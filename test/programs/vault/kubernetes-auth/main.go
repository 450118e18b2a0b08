// Command vault-plugin-auth-kubernetes is Vault's own Kubernetes auth method as a plugin of its own: Vault has it built
// in only together with the SDKs of every cloud.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/sdk/plugin"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "version" {
		fmt.Println(moduleVersion())
		return
	}
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	meta := &api.PluginAPIClientMeta{}
	if err := meta.FlagSet().Parse(args); err != nil {
		return err
	}
	return plugin.ServeMultiplex(&plugin.ServeOpts{
		BackendFactoryFunc: kubernetes.Factory,
		TLSProviderFunc:    api.VaultPluginTLSProvider(meta.GetTLSConfig()),
	})
}

func moduleVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/hashicorp/vault-plugin-auth-kubernetes" {
			return module.Version
		}
	}
	return "unknown"
}
