/** Code units that a YAML reader refuses or alters, that a terminal obeys, or that can't be seen; all below U+10000. */
const UNSAFE = /[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]/g;
const BEYOND_ASCII = /[^ -~]/;
/** An escaped backslash, which is not the begin of the escape that follows it; or half of a surrogate pair. */
const HALF_OF_PAIR = /\\\\|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g;

/**
 * Makes JSON text mean the same to a JSON reader and to a YAML reader: server-side apply is read as YAML, which refuses
 * U+007F, C1 controls, U+FFFE and U+FFFF as they are, takes U+0085 for a line break (YAML 1.1, section 5.4) and refuses
 * `\ud83d` escapes. Characters above U+FFFF stay as they are, since JSON has only surrogates for them. Half of a surrogate
 * pair becomes U+FFFD, which is what the API server makes of it in JSON. `text` comes from JSON.stringify.
 */
export function portableJson(text: string): string {
  const whole = text.includes('\\ud')
    ? text.replace(HALF_OF_PAIR, (found) => (found === '\\\\' ? found : '\\ufffd'))
    : text;
  return BEYOND_ASCII.test(whole) ? whole.replace(UNSAFE, escaped) : whole;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
