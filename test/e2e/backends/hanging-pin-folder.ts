/**
 * Program of pkcs11-pin.test.ts: reads PINs from a folder whose FUSE file system never answers, since its server is this
 * process by its descriptor 3. Then it closes that, which ends the file system. Prints what came of it as JSON.
 */
import { closeSync } from 'node:fs';
import { readPin } from '../../../src/backends/pkcs11/pin.ts';

const [pinFolder = ''] = process.argv.slice(2);
const deps = { clusterWide: true, hsm: { pinFolder } } as Parameters<typeof readPin>[1];
const refusal = (pinFile: string) =>
  readPin({ pinFile }, deps).then(
    () => 'it was read',
    ({ message }: Error) => message,
  );

const began = performance.now();
const atOnce = await Promise.all(['one', 'one', 'two'].map(refusal));
const tookMs = performance.now() - began;
const later = await refusal('two');
const tookMoreMs = performance.now() - began - tookMs;
closeSync(3);
await new Promise((resolve) => setTimeout(resolve, 200));
console.log(JSON.stringify({ atOnce, later, tookMs, tookMoreMs, over: await refusal('one') }));
