import { GROUP } from '../api/names.ts';
import { lastOtherWriter } from '../certificate/contest.ts';
import type { Trouble } from '../trouble.ts';
import { type ClusterObject, nameOf } from './desired.ts';
import type { TargetAccess } from './write.ts';

/** What another party does to an object again and again, from the fields that it holds now. */
export async function contestTrouble(object: ClusterObject, access: Pick<TargetAccess, 'get'>): Promise<Trouble> {
  const live = await access.get(object);
  const writer = live && lastOtherWriter(live, isOfUs);
  const what =
    live === undefined
      ? 'is deleted again and again; the audit log of the API server names the writer'
      : writer === undefined
        ? 'is changed again and again; the audit log of the API server names the writer'
        : `is changed again and again: field manager "${writer.manager}" writes ${writer.fields.join(', ')}`;
  return { code: 'TrustTargetContested', message: `${nameOf(object)} ${what}; it is repaired once a minute` };
}

function isOfUs(path: string): boolean {
  return (
    path === 'data.ca.crt' ||
    path === 'spec.trustBundle' ||
    path.startsWith(`metadata.labels.${GROUP}/`) ||
    path.startsWith(`metadata.annotations.${GROUP}/`)
  );
}
