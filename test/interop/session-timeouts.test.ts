/**
 * With TLS 1.3 these servers give a new session at each resumption: their timeouts don't limit a client that comes back.
 * What ends a session is a rotation of the server's own certificate.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../teardown.ts';
import { apache, installApache } from './servers/apache.ts';
import { envoy, installEnvoy } from './servers/envoy.ts';
import { haproxy, installHaproxy } from './servers/haproxy.ts';
import { installNginx, nginx } from './servers/nginx.ts';
import { available } from './support/available.ts';
import { TLS_VERSIONS, type TlsVersion } from './support/cells.ts';
import { comeBack, visit, visitor } from './support/sessions.ts';

test.after(stopAll);

const TIMEOUT_S = 3;
const VISITS = 8;

/** Each with its setting for the life of sessions. */
const SERVERS = [
  {
    reader: nginx,
    install: () =>
      installNginx('nginx.conf', {
        replacements: { 'ssl_verify_client on;': `ssl_verify_client on; ssl_session_timeout ${TIMEOUT_S}s;` },
      }),
  },
  {
    reader: haproxy,
    install: () => installHaproxy({ 'stats socket': `tune.ssl.lifetime ${TIMEOUT_S}\n  stats socket` }),
  },
  {
    reader: apache,
    install: () => installApache({ 'SSLEngine on': `SSLEngine on\n  SSLSessionCacheTimeout ${TIMEOUT_S}` }),
  },
  {
    reader: envoy,
    install: () =>
      installEnvoy('envoy.yaml', {
        'require_client_certificate: true': `require_client_certificate: true\n              session_timeout: ${TIMEOUT_S}s`,
      }),
    /** It is for TLS 1.2 alone. */
    hasNoTimeout: true,
  },
];

for (const { reader, install, hasNoTimeout = false } of SERVERS) {
  const { title } = reader;
  const program = await available(title, install);
  const usual = await available(title, reader.install);
  if (program === undefined || usual === undefined) continue;

  test(`${title}: the timeout ends a session of TLS 1.2, but not the sessions of a client that comes back with TLS 1.3`, async () => {
    const start = (tls: TlsVersion) => visitor(reader, program, { tls, lifeMs: 4_000 });
    const [old, fresh] = await Promise.all([start('1.2'), start('1.3')]);
    const [oldVisits, visits] = await Promise.all([comeBack(old, VISITS), comeBack(fresh, VISITS)]);
    assert.is(oldVisits.at(0)?.isResumed, true);
    assert.is(oldVisits.at(-1)?.isServed, false);

    assert.ok(visits.every(({ isServed, isResumed }) => isServed && isResumed));
    await fresh.untilRefused();
    const late = await visit({ ...fresh.call, session: fresh.first.session });
    assert.is(late.isResumed, hasNoTimeout, 'the first session, long after the timeout');
  });

  test(`${title}: a rotation of its own certificate ends the sessions`, async () => {
    await Promise.all(
      TLS_VERSIONS.map(async (tls) => {
        const guest = await visitor(reader, usual, { tls });
        assert.is((await visit({ ...guest.call, session: guest.first.session })).isResumed, true);
        await guest.untilRotationEndsSession();
      }),
    );
  });
}

test.run();
