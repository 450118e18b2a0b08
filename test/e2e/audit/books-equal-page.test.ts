import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runAudit } from '../../../src/audit/command.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { auditFolder, auditLog } from '../../unit/audited-files.ts';
import { startVault } from '../backends/servers/vault.ts';
import { serveOn } from '../backends/vault-subject.ts';
import { blocksInOrder } from '../support/page.ts';
import { storedIn } from './booking-cas.ts';

test.after(stopAll);

test('the commands of the page write the list of a real Vault, and the comparison with a log reads it', async () => {
  const vault = await startVault();
  onStop(() => vault.stop());
  await serveOn(async () => vault);
  const folder = auditFolder();
  const names = ['lost', 'published'];
  for (const name of names) {
    execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', join(folder, 'key')]);
    const csr = execFileSync('openssl', ['req', '-new', '-key', join(folder, 'key'), '-subj', `/CN=${name}`]);
    await vault.api('POST', 'pki/sign/conformance', { csr: String(csr), common_name: name });
  }
  const [, list] = blocksInOrder('docs/audit.md', 'Compare with the CA').filter(({ language }) => language === 'sh');
  await vault.sh((list?.text ?? '').replace('serials.txt', join(folder, 'serials.txt')));

  const booked = await storedIn(vault);
  const of = (name: string) => booked.find(({ commonName }) => commonName === name);
  const root = booked.find(({ commonName }) => !names.includes(commonName));
  assert.is(booked.length, 3);
  const owner = { authority: 'CertificateAuthority/shop/ca', namespace: 'shop', uid: 'u' };
  const log = join(folder, 'audit.log');
  const audit = auditLog(log);
  audit.write({ event: 'requested', ...owner, name: 'lost', keyPin: of('lost')?.keyPin });
  audit.write({ event: 'published', ...owner, name: 'published', serial: of('published')?.serial });
  await audit.close();
  const printed: string[] = [];
  const args = ['compare', '--log', log, '--serials', join(folder, 'serials.txt')];
  assert.is(await runAudit(args, (line) => printed.push(line)), 0);
  assert.equal(
    printed.map((line) => line.replace(/, at .*/, '')),
    [
      `answer lost: ${of('lost')?.serial}: requested for ClientCertificate shop/lost, uid u`,
      `not in the log: ${root?.serial}`,
      '3 at the CA: 1 published, 0 never published, 1 with a lost answer, 1 not in the log; 0 in the log and not at the CA',
    ],
  );
});

test.run();
