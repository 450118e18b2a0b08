/** With its defaults Envoy refuses clients with Ed25519 or ECDSA P-521 keys; a list of signature algorithms changes that. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../teardown.ts';
import { installEnvoy } from './servers/envoy.ts';
import { authority, SERVER } from './support/authority.ts';
import { available } from './support/available.ts';
import { KEYS, keyName, TLS_VERSIONS } from './support/cells.ts';
import { request } from './support/request.ts';
import { startStage } from './support/stage.ts';

test.after(stopAll);

/** As docs/guides/envoy.md has it. */
const ALGORITHMS = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed25519',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha256',
];

const last = 'tls_maximum_protocol_version: TLSv1_3';
const program = await available('Envoy', () =>
  installEnvoy('envoy.yaml', { [last]: `${last}, signature_algorithms: [${ALGORITHMS.join(', ')}]` }),
);
if (program !== undefined)
  test('with a list of signature algorithms Envoy accepts clients with every kind of key', async () => {
    const ca = await authority(2);
    const { server, own } = await startStage(program, await ca.issue(SERVER));
    for (const key of KEYS)
      for (const tls of TLS_VERSIONS) {
        const { status } = await request({
          port: server.port,
          ca: own.ca,
          tls,
          client: await ca.issue({ key }),
          settleMs: 20,
        });
        assert.is(status, 200, `${keyName(key)}, TLS ${tls}`);
      }
  });

test.run();
