import { RetryableError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { chainsTo } from '../../pki/chain.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import type { KnownAccount } from './account.ts';
import { refusal } from './problem.ts';
import type { Session } from './session.ts';

/** Boulder offers one or two. */
const MOST_ALTERNATES = 5;

/**
 * The certificate with its chain: the first of those that the server offers (RFC 8555 section 7.4.2) that leads to one of
 * `anchors`; the first of all where none does. Throws a RetryableError where none can be read.
 */
export async function downloadChain(
  session: Session,
  account: KnownAccount,
  url: string,
  anchors: readonly CertificateView[],
  signal: AbortSignal,
): Promise<readonly CertificateView[]> {
  const fetch = async (each: string) => {
    const answer = await session.certificates(account, each, signal);
    if (answer.status !== 200) throw refusal(answer, session.server, 'the certificate');
    return { answer, chain: chainIn(answer, session.server) };
  };
  const { answer, chain } = await fetch(url);
  if (chainsTo(chain, anchors)) return chain;
  for (const alternate of alternatesIn(answer).slice(0, MOST_ALTERNATES)) {
    const other = await fetch(session.own(new URL(alternate, url).href, 'another chain'));
    if (chainsTo(other.chain, anchors)) return other.chain;
  }
  return chain;
}

function chainIn({ bytes }: HttpAnswer, server: string): readonly CertificateView[] {
  const refused = (why: string) =>
    new RetryableError('RequestFailed', `${server} answered with a certificate that can't be read: ${why}`);
  const chain = readCertificates([bytes.toString('latin1')], refused);
  if (chain.length === 0) throw refused('there is none');
  return chain;
}

/** RFC 8288: `<URL>; rel="alternate"`, several in one header or in several. */
export function alternatesIn({ all }: Pick<HttpAnswer, 'all'>): readonly string[] {
  const links = all('link').flatMap((header) => [...header.matchAll(/<([^<>]*)>((?:;[^;,"<]*(?:"[^"]*")?)*)/g)]);
  return links.flatMap(([, target = '', parameters = '']) =>
    /;\s*rel\s*=\s*"?alternate"?\s*(;|$)/i.test(parameters.trim()) && URL.canParse(target, 'https://host')
      ? [target]
      : [],
  );
}
