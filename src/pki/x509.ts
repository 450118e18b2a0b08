// The library throws at import unless this polyfill came first.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/** The only door to @peculiar/x509. It costs about half a second to load: production code imports it on demand. */
export { x509 };
