import type { Story } from './story.ts';
import { count, stopwatch } from './words.ts';

/** What happened, in a few lines; nothing of it is claimed without having been counted. */
export function summary(story: Story): string[] {
  const { certificates, publications, handshakes, publicKeys, used } = story;
  if (publications.length === 0) return ['It ended before the first certificate.'];
  const rotations = certificates.map(({ name, rotations }) => `${name} ${rotations}`).join(', ');
  const keys =
    publicKeys === publications.length ? 'no two with the same key' : `but only ${count(publicKeys, 'different key')}`;
  return [
    `What happened in ${stopwatch(story.elapsedMs)}:`,
    `  rotations     ${rotations}`,
    `  certificates  ${count(publications.length)} issued, ${keys}; ${count(used)} seen in handshakes`,
    `  handshakes    ${count(handshakes.ok)} ok, ${count(handshakes.failed)} failed`,
    ...(handshakes.failed === 0 ? [] : [`  last failure  ${story.lastFailure}`]),
  ];
}
