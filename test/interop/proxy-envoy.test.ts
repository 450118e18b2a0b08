import { test } from 'uvu';
import { installEnvoy, upstreamSecrets } from './servers/envoy.ts';
import { proveProxy } from './support/prove-proxy.ts';

await proveProxy({
  title: 'Envoy',
  install: installEnvoy,
  configure: ({ directory, port, folder }) =>
    installEnvoy('proxy.yaml', { 9443: port, '600s': '1s', ...upstreamSecrets(folder, directory) }),
  headers: { subject: 'x-ssl-client-subject', serial: 'x-ssl-client-serial' },
  badUpstream: 503,
});

test.run();
