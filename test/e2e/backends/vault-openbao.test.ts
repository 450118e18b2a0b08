import { test } from 'uvu';
import { conformance } from './conformance.ts';
import { openBaoNamespace } from './openbao-namespace.ts';
import { OPENBAO_LACKS } from './servers/openbao.ts';
import { serveOn, vaultSubject } from './vault-subject.ts';

// The same suite as for Vault against a real OpenBao, within one of its namespaces.

/** OpenBao answers alike to a token that it doesn't know and to a policy that doesn't suffice. */
const checks = vaultSubject.checks.map((row) =>
  row.step === 'the token is wrong' ? { ...row, says: 'was answered 403: permission denied' } : row,
);

if (OPENBAO_LACKS === undefined)
  conformance({
    ...vaultSubject,
    checks,
    start: () => serveOn(() => openBaoNamespace('team-a')),
  });
else test.skip(OPENBAO_LACKS, () => {});

test.run();
