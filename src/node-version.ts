/** Imported before anything else: an older Node would stop at what comes next with an obscure error. */
const OLDEST = 24;

if (Number(process.versions.node.split('.')[0]) < OLDEST) {
  console.error(`certwheel: needs Node ${OLDEST} or newer, this is ${process.versions.node}`);
  process.exit(1);
}
