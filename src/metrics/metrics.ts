import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AnyCertificateAuthority, CertificateAuthority } from '../api/certificate-authority.ts';
import { authorityKey, isBrokenAuthority } from '../api/certificate-authority.ts';
import type { CAGeneration } from '../api/generated/types.ts';
import type { Demand } from '../authority/demand.ts';
import type { CaLife } from '../authority/deps.ts';
import type { RotationFindings } from '../authority/rotation-status.ts';
import { ROTATION_REASONS } from '../certificate/observed.ts';
import type { Clock } from '../clock.ts';
import { ERROR_CODES } from '../errors.ts';
import type { Observation } from '../kube/transport.ts';
import type { WatchStats } from '../kube/watch-record.ts';
import type { RevocationFindings } from '../revocation/status.ts';
import { AuditSeries } from './audit-series.ts';
import { CertificateSeries } from './certificate-series.ts';
import { FallbackSeries } from './fallback-series.ts';
import { ProbeSeries } from './probe-series.ts';
import { RevocationSeries } from './revocation-series.ts';
import { RotationSeries } from './rotation-series.ts';
import { RuleSeries } from './rule-series.ts';
import { TargetSeries } from './target-series.ts';

const LATENESS_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600];
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Values that are read at a scrape. */
export interface Gauges {
  queueDepth(controller: string): number;
  watches(): Iterable<readonly [name: string, stats: WatchStats]>;
  monotonicMs(): number;
  leading(): boolean;
  /** The ranges that this replica holds; undefined without shards. */
  shards(): { readonly held: number; readonly count: number } | undefined;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** All metrics of Certwheel, by name; objects and closed unions bound the labels. */
export function createMetrics(authorityTypes: readonly string[], clock: Clock, mostCertificateSeries: number) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];

  const rotations = new Counter({
    name: 'certwheel_rotations_total',
    help: 'Published certificates, including first issues, by reason.',
    labelNames: ['authority_type', 'reason'],
    registers,
  });
  const failures = new Counter({
    name: 'certwheel_rotation_failures_total',
    help: 'Failed attempts to issue or publish a certificate, by error code.',
    labelNames: ['authority_type', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'certwheel_rotation_duration_seconds',
    help: 'Duration from the decision to the stored Secret.',
    labelNames: ['authority_type'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const lateness = new Histogram({
    name: 'certwheel_rotation_lateness_seconds',
    help: 'Delay of renewals after they were due.',
    buckets: LATENESS_BUCKETS,
    registers,
  });
  const authorityRequests = new Histogram({
    name: 'certwheel_authority_request_duration_seconds',
    help: 'Duration of an issuance by an authority.',
    labelNames: ['authority_type'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const authorityReady = new Gauge({
    name: 'certwheel_authority_ready',
    help: '1 if the authority can issue, otherwise 0.',
    labelNames: ['authority'],
    registers,
  });
  const caNotBefore = new Gauge({
    name: 'certwheel_ca_not_before_timestamp_seconds',
    help: 'Start of validity of the CA that signs; for a remote authority, of the trusted CA that expires last.',
    labelNames: ['authority'],
    registers,
  });
  const caNotAfter = new Gauge({
    name: 'certwheel_ca_not_after_timestamp_seconds',
    help: 'Expiry of the CA that signs; for a remote authority, of the trusted CA that expires last.',
    labelNames: ['authority'],
    registers,
  });
  const demandPerDay = new Gauge({
    name: 'certwheel_authority_demand_issuances_per_day',
    help: 'Expected issuances of the authority per day, from the lives of its certificates.',
    labelNames: ['authority'],
    registers,
  });
  const quotaPerDay = new Gauge({
    name: 'certwheel_authority_quota_issuances_per_day',
    help: 'Issuances per day that the tightest known quota allows; absent if none is known.',
    labelNames: ['authority'],
    registers,
  });
  const runs = new Counter({
    name: 'certwheel_workqueue_runs_total',
    help: 'Reconcile runs, by outcome.',
    labelNames: ['controller', 'outcome'],
    registers,
  });
  const runSeconds = new Histogram({
    name: 'certwheel_workqueue_run_duration_seconds',
    help: 'Duration of a reconcile run.',
    labelNames: ['controller'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const requests = new Counter({
    name: 'certwheel_kube_requests_total',
    help: 'Requests to the API server; status 0 means no answer.',
    labelNames: ['verb', 'resource', 'status'],
    registers,
  });

  for (const type of authorityTypes) {
    for (const reason of ROTATION_REASONS) rotations.inc({ authority_type: type, reason }, 0);
    for (const code of ERROR_CODES) failures.inc({ authority_type: type, code }, 0);
  }

  const certificates = new CertificateSeries(registry, clock, mostCertificateSeries);
  const rules = new RuleSeries(registry);
  const fallbacks = new FallbackSeries(registry);
  const rotation = new RotationSeries(registry);
  const revocations = new RevocationSeries(registry, authorityTypes);
  const probes = new ProbeSeries(registry);

  return {
    registry,
    rotated(type: string, reason: string, seconds: number, latenessSeconds: number | undefined) {
      rotations.inc({ authority_type: type, reason });
      duration.observe({ authority_type: type }, seconds);
      if (latenessSeconds !== undefined) lateness.observe(latenessSeconds);
    },
    issuedByRule(authority: string, rule: string) {
      rules.issued(authority, rule);
    },
    fallbackIssued(authority: string, fallback: string) {
      fallbacks.issued(authority, fallback);
    },
    showFallback(resource: AnyCertificateAuthority, fallback: string | undefined, isReady: boolean) {
      fallbacks.show(authorityKey(resource), fallback, isReady);
    },
    revoked(type: string, reason: string) {
      revocations.revoked(type, reason);
    },
    showRevocations(resource: CertificateAuthority, found: RevocationFindings) {
      revocations.show(authorityKey(resource), found, found.crls);
    },
    failed(type: string, code: string) {
      failures.inc({ authority_type: type, code });
    },
    authorityAnswered(type: string, seconds: number) {
      authorityRequests.observe({ authority_type: type }, seconds);
    },
    certificates,
    targets: new TargetSeries(registry),
    audit: new AuditSeries(registry),
    probes,
    showAuthority(resource: AnyCertificateAuthority, isReady: boolean, ca: CaLife | undefined) {
      const authority = authorityKey(resource);
      authorityReady.set({ authority }, isReady ? 1 : 0);
      setOrRemove(caNotBefore, authority, ca && ca.notBefore.getTime() / 1000);
      setOrRemove(caNotAfter, authority, ca && ca.notAfter.getTime() / 1000);
      if (!isBrokenAuthority(resource)) rules.show(authority, resource.kind, resource.issuancePolicy);
    },
    showRotation(resource: CertificateAuthority, findings: RotationFindings) {
      rotation.show(authorityKey(resource), findings);
    },
    rotationOverruled(resource: CertificateAuthority, to: CAGeneration['state']) {
      rotation.overruled(authorityKey(resource), to);
    },
    showDemand(resource: CertificateAuthority, { perDay, quota }: Demand) {
      const authority = authorityKey(resource);
      demandPerDay.set({ authority }, perDay);
      setOrRemove(quotaPerDay, authority, quota?.perDay);
    },
    hideAuthority(authority: string) {
      for (const gauge of [authorityReady, caNotBefore, caNotAfter, demandPerDay, quotaPerDay])
        gauge.remove({ authority });
      rules.hide(authority);
      fallbacks.hide(authority);
      rotation.hideAuthority(authority);
      revocations.hide(authority);
      probes.hideAuthority(authority);
    },
    ran(controller: string, outcome: string, seconds: number) {
      runs.inc({ controller, outcome });
      runSeconds.observe({ controller }, seconds);
    },
    requested({ verb, resource, status }: Observation) {
      requests.inc({ verb, resource, status });
    },
    /** Gauges that are read at the scrape. */
    ask(gauges: Gauges) {
      const asked = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void) =>
        new Gauge({
          name,
          help,
          labelNames,
          registers,
          collect() {
            this.reset();
            collect(this);
          },
        });
      asked('certwheel_workqueue_depth', 'Objects that wait for a worker.', ['controller'], (gauge) => {
        for (const controller of ['certificates', 'authorities', 'trust-targets', 'probes'])
          gauge.set({ controller }, gauges.queueDepth(controller));
      });
      asked(
        'certwheel_watch_last_event_age_seconds',
        'Age of the last event of a watch; bookmarks arrive every minute.',
        ['watch'],
        (gauge) => {
          for (const [watch, stats] of gauges.watches())
            gauge.set({ watch }, (gauges.monotonicMs() - stats.lastEventAt) / 1000);
        },
      );
      asked(
        'certwheel_watch_restarts',
        'Restarts of a watch since the controller started, by reason.',
        ['watch', 'reason'],
        (gauge) => {
          for (const [watch, stats] of gauges.watches())
            for (const [reason, count] of Object.entries(stats.restarts)) gauge.set({ watch, reason }, count ?? 0);
        },
      );
      asked(
        'certwheel_objects_left_out',
        'Objects that are not cached, because the memory share of their namespace is used up.',
        ['watch'],
        (gauge) => {
          for (const [watch, { leftOut }] of gauges.watches()) if (leftOut > 0) gauge.set({ watch }, leftOut);
        },
      );
      asked('certwheel_leader', '1 if this replica acts: as the leader, alone, or by its shards.', [], (gauge) =>
        gauge.set(gauges.leading() ? 1 : 0),
      );
      const ofShards = (read: (shards: NonNullable<ReturnType<Gauges['shards']>>) => number) => (gauge: Gauge) => {
        const shards = gauges.shards();
        // A gauge without labels is 0 after a reset.
        if (shards === undefined) gauge.remove();
        else gauge.set(read(shards));
      };
      const ofAll = ofShards(({ count }) => count);
      asked('certwheel_shards', 'Shards that there are in all; absent without --shards.', [], ofAll);
      const ofOurs = ofShards(({ held }) => held);
      asked('certwheel_shard_owned', 'Shards that this replica holds; absent without --shards.', [], ofOurs);
    },
  };
}

function setOrRemove(gauge: Gauge, authority: string, value: number | undefined): void {
  if (value === undefined) gauge.remove({ authority });
  else gauge.set({ authority }, value);
}
