import { test } from 'uvu';
import { installNginx } from './servers/nginx.ts';
import { proveProxy } from './support/prove-proxy.ts';

await proveProxy({
  title: 'nginx',
  install: installNginx,
  configure: ({ directory, port }) =>
    installNginx('proxy.conf', {
      replacements: { '127.0.0.1:9443': `127.0.0.1:${port}` },
      scriptReplacements: { '/upstream-tls/': `${directory}/` },
    }),
  headers: { subject: 'x-ssl-client-subject', serial: 'x-ssl-client-serial' },
  badUpstream: 502,
});

test.run();
