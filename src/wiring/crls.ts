import { CRL_OF_LABEL, RESPONDER_KEYS_NAME } from '../api/books-names.ts';
import { CONFIG_MAPS, SECRETS } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ListPage } from '../kube/object.ts';
import { Crls } from '../revocation/crl/crls.ts';
import type { KnownCrls } from '../revocation/crl/known-crls.ts';
import { OcspKeys } from '../revocation/crl/ocsp-keys.ts';
import { applyUnaltered } from './secret-access.ts';
import type { Services } from './services.ts';

/** Each may have 0.9 MiB in JSON, and a page 8 MiB. */
const PAGE = 6;

type Parts = Partial<Pick<Services, 'audit'>> &
  Pick<Services, 'client' | 'clock' | 'log' | 'ownership'> & {
    readonly booksKey: Pick<Services['booksKey'], 'serialKey'>;
    readonly config: Pick<Services['config'], 'controllerNamespace'>;
  };

/** The CRLs of authorities, with access to the API server. */
export function wireCrls({ audit, booksKey, client, clock, config, log, ownership }: Parts, known: KnownCrls): Crls {
  const namespace = config.controllerNamespace;
  const ocspKeys = new OcspKeys({
    clock,
    audit,
    ownership,
    serialKey: (uid) => booksKey.serialKey(uid),
    secret: {
      namespace,
      read: () => client.get(SECRETS, namespace, RESPONDER_KEYS_NAME),
      apply: (manifest) => applyUnaltered(client, manifest),
    },
  });
  const maps = {
    namespace,
    list: (uid: string) => listMaps(client, namespace, uid),
    get: (name: string) => client.get(CONFIG_MAPS, namespace, name),
    apply: (manifest: Parameters<KubeClient['apply']>[1]) => client.apply(CONFIG_MAPS, manifest),
    delete: (name: string) => client.delete(CONFIG_MAPS, namespace, name),
  };
  return new Crls({ audit, clock, log, ownership, maps, ocspKeys, known });
}

async function listMaps(client: KubeClient, namespace: string, uid: string): Promise<readonly RawObject[]> {
  const found: RawObject[] = [];
  let next: string | undefined;
  do {
    const options = { namespace, labelSelector: `${CRL_OF_LABEL}=${uid}`, limit: PAGE, continue: next };
    const page: ListPage = await client.list(CONFIG_MAPS, options);
    found.push(...page.items);
    next = page.metadata.continue === '' ? undefined : page.metadata.continue;
  } while (next !== undefined);
  return found;
}
