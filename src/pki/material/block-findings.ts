import { type Finding, mendedBy, type Want } from './error.ts';

/** What can be wrong with the lines that begin and end the blocks of a PEM text. */

/** Puts every BEGIN and END on a line of its own, also where line breaks are written as `\n`. */
const OWN_LINES = String.raw`awk '{gsub(/\\+r/, ""); gsub(/\\+n/, "\n"); gsub(/-----(BEGIN|END) [A-Z0-9 ]*-----/, "\n&\n")} 1'`;
const DASHES = String.raw`sed -E 's/^[[:space:]]*-*((BEGIN|END) [A-Z0-9 ]*[A-Z0-9]) *-*[[:space:]]*$/-----\1-----/'`;
const SAME_END = `awk '/-----BEGIN /{end = $0; sub(/BEGIN/, "END", end)} /-----END /{$0 = end} 1'`;

/** The file that the commands write. */
export function outputOf(want: Want): string {
  return want === 'certificate' ? 'ca.crt' : 'ca.key';
}

function filtered(what: string, how: string, filter: string, want: Want): Finding {
  return mendedBy(what, how, 'ca.txt', `${filter} ca.txt > ${outputOf(want)}`);
}

export function escapedBreaks(want: Want): Finding {
  const what = String.raw`PEM whose line breaks are written as the two letters \n`;
  return filtered(what, 'put line breaks in their place', OWN_LINES, want);
}

export function joinedBlocks(want: Want): Finding {
  return filtered('PEM without a line break between this block and the next', 'put it there', OWN_LINES, want);
}

export function noBreak(want: Want): Finding {
  const what = 'PEM where a BEGIN or END line holds other characters too';
  return filtered(what, 'put each on a line of its own', OWN_LINES, want);
}

export function brokenLine(want: Want): Finding {
  const what = 'PEM with a BEGIN or END line that does not have five dashes on both sides';
  return filtered(what, 'put them there', DASHES, want);
}

export function otherEnd(label: string, endLabel: string, want: Want): Finding {
  const what = `a PEM block that begins as ${quoted(label)} and ends as ${quoted(endLabel)}`;
  return filtered(what, 'if nothing between them is missing, make them equal', SAME_END, want);
}

// A damaged BEGIN line may hold a piece of a key: labels in use are made of short words in capitals.
const COMMON_LABEL = /^(?:#?[A-Z0-9]{1,12}(?: |$)){1,6}$/;

/** A label for a message. */
export function quoted(label: string): string {
  return COMMON_LABEL.test(label) ? `"${label}"` : 'of an unusual label';
}

const CREATE =
  'kubectl create secret generic NAME -n NAMESPACE --from-file=tls.crt=ca.crt --from-file=tls.key=ca.key --dry-run=client -o yaml | kubectl apply -f -';
/** The remedy where no command can make what is wanted out of what is there. */
export const FROM_FILES = `write the two PEM files of the CA into the Secret with: ${CREATE}`;
export const COPY_AGAIN = `copy the whole file again with: ${CREATE}`;

export function noEnd(label: string): Finding {
  return { flaw: 'NotPem', what: `a PEM block ${quoted(label)} without its END line`, remedy: COPY_AGAIN };
}

export function noBegin(): Finding {
  return { flaw: 'NotPem', what: 'the end of a PEM block without its BEGIN line', remedy: COPY_AGAIN };
}

export function notBase64(label: string, ascii: boolean, want: Want): Finding {
  if (ascii) {
    const what = `a PEM block ${quoted(label)} whose content is not base64`;
    return { flaw: 'NotPem', what, remedy: COPY_AGAIN };
  }
  const what = `a PEM block ${quoted(label)} with characters that are not ASCII`;
  return mendedBy(what, 'remove them', 'ca.txt', `LC_ALL=C tr -cd '\\12\\15\\40-\\176' < ca.txt > ${outputOf(want)}`);
}

export function emptyBlock(label: string): Finding {
  return { flaw: 'NotPem', what: `a PEM block ${quoted(label)} without content`, remedy: COPY_AGAIN };
}
