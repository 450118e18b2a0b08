import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { earliest } from '../api/moments.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { provenanceOf } from '../rotation/provenance.ts';
import { ownTrust } from '../rotation/trusted.ts';
import type { Trouble } from '../trouble.ts';
import type { AuthorityDeps } from './deps.ts';
import { probe } from './probe.ts';
import { publishView, spreading } from './publish-view.ts';
import type { Runtime } from './runtime.ts';
import { viewAuthority } from './view.ts';

/** A new CA of another machine becomes a generation by the owner of the authority, and that is seen at once. */
const REMOTE_LOOK_MS = 15 * 60_000;

/**
 * One look at an authority of the cluster that another replica reconciles: what this one needs to sign for its own namespaces. Nothing is
 * written but what certificates of these namespaces want revoked.
 */
export async function followAuthority(
  resource: CertificateAuthority,
  runtime: Runtime,
  deps: AuthorityDeps,
  run: Run,
): Promise<Outcome> {
  const key = authorityKey(resource);
  const { breaker, definition } = runtime;
  const { remote } = definition.capabilities;
  if (remote) await probe(runtime, deps, run);
  const evidence = { reported: resource.status.generations ?? [], members: () => deps.members(key) };
  const { generations } = await provenanceOf(deps.generationSecrets(key), evidence, deps.clock.now());
  runtime.generations = generations;
  if (!remote) await probe(runtime, deps, run);
  const fallbackAt = await deps.fallbacks.follow(resource, runtime);
  const now = deps.clock.now();
  const because = (trouble: Trouble | undefined) => trouble && (spreading(runtime, now) ?? trouble);
  runtime.troubleSince = breaker.trouble && earliest([runtime.troubleSince, now]);
  const seen = viewAuthority(runtime, ownTrust(runtime), because(breaker.blockedBy), now);
  const consumers = deps.consumers(resource);
  runtime.certificates = consumers.length;
  const { released, fresh, recheckAt } = runtime.releases.look(seen, consumers, deps.clock, deps.isOurs);
  const revocationAt = await deps.revocations.follow(resource, runtime);
  publishView(key, runtime, { ...seen, released }, deps);
  deps.wakeReleased(fresh);
  const probeAt = breaker.blockedBy && new Date(now.getTime() + breaker.probeInMs);
  const lookAt = remote ? new Date(now.getTime() + REMOTE_LOOK_MS * (0.8 + 0.2 * deps.clock.random())) : undefined;
  // What the generations are for changes at their ends without an event.
  const ends = generations.map(({ path }) => path.certificate.notAfter).filter((end) => end > now);
  return {
    do: 'rest',
    recheckAt: earliest([fallbackAt, recheckAt, revocationAt, probeAt, lookAt, ...ends]),
  };
}
