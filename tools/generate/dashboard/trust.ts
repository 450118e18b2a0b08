import { half, type Panel, third } from './panel.ts';
import { AUTHORITY } from './queries.ts';

/** A verifier without an answer is asked every five minutes, so a shorter range would often hold nothing. */
const PROBES = '[15m]';
const probes = (labels: string) =>
  `sum by (authority, verifier) (rate(certwheel_probe_total{${AUTHORITY}${labels}}${PROBES}))`;
const GENUINE = probes(',certificate="genuine"');

export const trust: readonly Panel[] = [
  {
    kind: 'states',
    title: 'What CA rotations wait for',
    description:
      'The state that a CA enters next, and the reason why not yet. Empty while no CA rotation is under way. docs/ca-rotation.md explains each reason.',
    unit: 'short',
    ...half,
    states: ['', 'waits'],
    colors: ['transparent', 'blue'],
    queries: [
      {
        expr: `max by (authority, to, reason) (certwheel_ca_rotation_waiting{${AUTHORITY}})`,
        legend: '{{authority}} {{to}}: {{reason}}',
      },
    ],
  },
  {
    kind: 'areas',
    title: 'Certificates by CA generation',
    description: 'Valid certificates that each CA generation has signed, while a CA rotation is under way.',
    unit: 'short',
    ...half,
    queries: [
      {
        expr: `max by (authority, generation, state) (certwheel_ca_generation_certificates{${AUTHORITY}})`,
        legend: '{{authority}} v{{generation}} {{state}}',
      },
    ],
  },
  {
    kind: 'areas',
    title: 'Objects of trust targets',
    description: 'Objects that hold the CA certificates of the authority, and objects that wait for them.',
    unit: 'short',
    ...half,
    queries: [
      {
        expr: `max by (authority, target, state) (certwheel_trust_target_objects{${AUTHORITY}})`,
        legend: '{{authority}} {{target}} {{state}}',
      },
    ],
  },
  {
    kind: 'lines',
    title: 'Time until a CA of others expires',
    description: 'Sources in spec.trust.sources. A CA certificate that has expired leaves all targets.',
    unit: 's',
    logarithmic: true,
    ...half,
    queries: [
      {
        expr: `min by (authority, source) (certwheel_trust_source_not_after_timestamp_seconds{${AUTHORITY}}) - time()`,
        legend: '{{authority}} {{source}}',
      },
    ],
  },
  {
    kind: 'states',
    title: 'Verifiers that trust each CA generation',
    description: 'Whether every endpoint accepts certificates of the CA generation and rejects those of a foreign CA.',
    unit: 'short',
    ...half,
    states: ['does not trust', 'trusts'],
    queries: [
      {
        expr: `max by (authority, verifier, generation) (certwheel_verifier_trusts{${AUTHORITY}})`,
        legend: '{{authority}} {{verifier}} v{{generation}}',
      },
    ],
  },
  {
    kind: 'lines',
    title: 'Success of mTLS handshakes',
    description:
      'Share of genuine client certificates that a verifier accepts, over 15 minutes. During a CA rotation it is lower until the verifier has the new CA.',
    unit: 'percentunit',
    max: 1,
    ...half,
    queries: [
      {
        expr: `(${probes(',certificate="genuine",result="accepted"')} or 0 * ${GENUINE}) / (${GENUINE} > 0)`,
        legend: '{{authority}} {{verifier}}',
      },
    ],
  },
  {
    kind: 'lines',
    title: 'Answers of verifiers',
    description: 'Probes per second, by certificate and result. A rogue certificate must never be accepted.',
    unit: 'reqps',
    ...third,
    queries: [
      {
        expr: `sum by (certificate, result) (rate(certwheel_probe_total{${AUTHORITY}}${PROBES}))`,
        legend: '{{certificate}} {{result}}',
      },
    ],
  },
  {
    kind: 'lines',
    title: 'Duration of a probe',
    description: 'From TCP to the answer. With the protocol tls it includes a quiet second.',
    unit: 's',
    ...third,
    queries: [0.5, 0.99].map((quantile) => ({
      expr: `histogram_quantile(${quantile}, sum by (le, authority, verifier) (rate(certwheel_probe_duration_seconds_bucket{${AUTHORITY}}${PROBES})))`,
      legend: `p${quantile * 100} {{authority}} {{verifier}}`,
    })),
  },
  {
    kind: 'lines',
    title: "Time until a verifier's certificate expires",
    description: 'Certificates of the servers themselves, as they were seen by probes.',
    unit: 's',
    logarithmic: true,
    ...third,
    queries: [
      {
        expr: `min by (authority, verifier) (certwheel_verifier_server_certificate_not_after_timestamp_seconds{${AUTHORITY}}) - time()`,
        legend: '{{authority}} {{verifier}}',
      },
    ],
  },
];
