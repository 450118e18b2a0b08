/**
 * For whom the bearer token of these headers is good; nothing where there is none, or none that can be read. Its signature
 * doesn't count here: it is our own.
 */
export function audiencesOf(headers: Readonly<Record<string, string>>): readonly string[] {
  const [, payload = ''] = (headers.authorization ?? '').replace(/^Bearer /i, '').split('.');
  try {
    const { aud } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { aud?: unknown };
    return [aud].flat().filter((each) => typeof each === 'string');
  } catch {
    return [];
  }
}
