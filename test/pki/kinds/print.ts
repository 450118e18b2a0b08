/** Prints the table of kinds as Markdown: node test/pki/kinds/print.ts */
import { markdownOf, SECTIONS } from './table.ts';

process.stdout.write(markdownOf(SECTIONS));
