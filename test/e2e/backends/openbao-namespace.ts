import { onStop } from '../../teardown.ts';
import { namespaceOf, startVault, type Vault } from './servers/vault.ts';

/** A new namespace of an OpenBao of its own, which runs until the end of the test file. */
export async function openBaoNamespace(name: string): Promise<Vault> {
  const server = await startVault({ isOpenBao: true });
  onStop(() => server.stop());
  return namespaceOf(server, name);
}
