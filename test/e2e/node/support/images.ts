import { join } from 'node:path';
import { makeImage } from '../../../cluster/node/images.ts';
import type { Node } from '../../../cluster/node/node.ts';

/** glibc asks DNS before /etc/hosts where it isn't told otherwise. */
const NAMES = { '/etc/nsswitch.conf': '/etc/nsswitch.conf' };
const SHELL = { '/bin/sh': '/bin/sh', '/usr/bin/readlink': '/usr/bin/readlink', '/usr/bin/sleep': '/usr/bin/sleep' };

/**
 * Stand-ins for the images that the examples name, which can't be had without a registry: programs of this machine
 * under the same names.
 */
const IMAGES = {
  'docker.io/library/node:24': { '/usr/local/bin/node': process.execPath },
  'docker.io/nginxinc/nginx-unprivileged:1.29': { '/usr/sbin/nginx': '/usr/sbin/nginx', ...SHELL },
  'docker.io/curlimages/curl:8.17.0': { '/usr/bin/curl': '/usr/bin/curl', ...SHELL },
};

/** Makes the images of the examples known to the node. */
export function importWorkloadImages(node: Node): void {
  for (const [name, programs] of Object.entries(IMAGES)) {
    const archive = join(node.cluster.dir, `${name.replaceAll(/\W/g, '-')}.tar`);
    node.importImage(makeImage(archive, name, { files: { ...programs, ...NAMES }, entrypoint: [] }));
  }
}
