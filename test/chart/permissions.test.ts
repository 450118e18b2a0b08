import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { caFiles } from '../e2e/authority/ca-files.ts';
import { holder } from '../e2e/process/support/access.ts';
import { bugs, lines } from '../e2e/process/support/fleet.ts';
import { type ControllerProcess, startController } from '../e2e/support/controller-process.ts';
import { createSecret, patchSecret } from '../e2e/support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../e2e/support/objects.ts';
import { eventsOf } from '../e2e/support/told.ts';
import { eventually, oneWorld } from '../e2e/support/world.ts';
import { ACCOUNT, accountKubeconfig, permissionsOf } from './support/account.ts';
import { install, NAMESPACE } from './support/helm.ts';
import { clusterAuthority, issueAndRenew } from './support/issued.ts';

const shared = oneWorld({}, async (cluster) => void (await install(cluster)));
test.after(shared.stop);

let controller: ControllerProcess;
let namespace: string;
