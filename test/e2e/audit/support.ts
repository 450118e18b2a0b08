import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CERTIFICATE_UID_ANNOTATION, resourcePath, SECRETS } from '../../../src/api/names.ts';
import type { AuditEventName } from '../../../src/audit/event.ts';
import { type ReadLine, readLine } from '../../../src/audit/line.ts';
import { textLines } from '../../unit/audited-files.ts';
import { mounted } from '../support/objects.ts';
import { type Witness, witness } from '../support/witness.ts';
import type { World } from '../support/world.ts';

/** A folder for audit logs that goes with the control plane. */
export function logFolder({ cluster }: World): string {
  return mkdtempSync(join(cluster.dir, 'audit-'));
}

export function linesIn(path: string): ReadLine[] {
  return textLines(path).flatMap((text) => readLine(text) ?? []);
}

export function eventsIn(path: string, event: AuditEventName): ReadLine['fields'][] {
  return linesIn(path)
    .filter((each) => each.event === event)
    .map(({ fields }) => fields);
}

/** What the API server itself has shown of a certificate. */
export interface Shown {
  readonly serial: string;
  readonly secret: string;
  readonly uid: string | undefined;
  readonly notAfter: number;
}

/** Every certificate that a Secret of the namespace has held since this was called. */
export async function watchSerials(world: World, namespace: string): Promise<() => Promise<Shown[]>> {
  const secrets: Witness = await witness(world, resourcePath(SECRETS, namespace));
  return async () => {
    await secrets.settled();
    const shown = new Map<string, Shown>();
    for (const { object } of secrets.all()) {
      const uid = object.metadata?.annotations?.[CERTIFICATE_UID_ANNOTATION];
      if (uid === undefined || !object.data?.['tls.crt']) continue;
      const { leaf } = mounted(object);
      const serial = leaf.serialNumber.toLowerCase();
      shown.set(serial, { serial, secret: object.metadata?.name ?? '', uid, notAfter: leaf.validToDate.getTime() });
    }
    return [...shown.values()];
  };
}

/** Runs `certwheel audit ...` in a process of its own. */
export async function audit(...args: readonly string[]): Promise<{ readonly code: number; readonly printed: string }> {
  const main = `${import.meta.dirname}/../../../src/main.ts`;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [main, 'audit', ...args], { encoding: 'utf8' });
    return { code: 0, printed: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, printed: `${stdout}${stderr}` };
  }
}

/** The flags that read the checkpoint of the world. */
export function checkpointIn({ cluster }: World, namespace: string): readonly string[] {
  const kubeconfig = ['--kubeconfig', cluster.kubeconfigPath];
  return ['--checkpoint-from-cluster', ...kubeconfig, '--controller-namespace', namespace];
}
