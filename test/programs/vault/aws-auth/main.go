// Command vault-plugin-auth-aws is Vault's own AWS auth method as a plugin of its own: a minimal Vault is built without it.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/hashicorp/vault/api"
	aws "github.com/hashicorp/vault/builtin/credential/aws"
	"github.com/hashicorp/vault/sdk/plugin"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "version" {
		fmt.Println(vaultVersion())
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
		BackendFactoryFunc: aws.Factory,
		TLSProviderFunc:    api.VaultPluginTLSProvider(meta.GetTLSConfig()),
	})
}

func vaultVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/hashicorp/vault" {
			return module.Version
		}
	}
	return "unknown"
}
