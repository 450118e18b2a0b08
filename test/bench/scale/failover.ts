import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { isReady } from '../ready.ts';
import {
  addTraffic,
  createCertificate,
  type Fleet,
  type Known,
  moment,
  namespacesOf,
  startReplica,
  untilAtRest,
} from './fleet.ts';

const NAME = 'after-failover';

/** A standby is warm, the leader is killed: until the standby issues a certificate that is created then. */
export async function failover(fleet: Fleet, leader: Known): Promise<void> {
  const { world, options, rows } = fleet;
  const standby = await startReplica(fleet, 'bench-standby');
  rows.add('until the standby is warm', standby.controller.syncedMs / 1_000, 's');
  await untilAtRest(standby.controller);
  const warm = await moment(fleet, standby);
  addTraffic(fleet, 'standby, until warm', warm);
  rows.add('resident memory of a standby', warm.state.rssBytes / 1e6, 'MB');

  await leader.controller.kill();
  const killedMs = performance.now();
  const [namespace = ''] = namespacesOf(options);
  await createCertificate(world, namespace, NAME);
  while (!isReady(await world.client.get(CLIENT_CERTIFICATES, namespace, NAME))) await sleep(50);
  rows.add('until a new certificate is Ready', (performance.now() - killedMs) / 1_000, 's');
  const endedMs = await untilAtRest(standby.controller);
  rows.add('until all are reconciled', (endedMs - killedMs) / 1_000, 's');
  const after = await moment(fleet, standby);
  rows.add('CPU', (after.state.cpuMs - warm.state.cpuMs) / 1_000, 's');
  addTraffic(fleet, 'failover', after, { requests: warm.requests, bytesReceived: warm.state.bytesReceived });
  await standby.controller.stop();
}
