/** What the CEL rules of spec.pkcs11 refuse. */
import { type Row, spec } from './rows.ts';

const PKCS11 = {
  uri: 'pkcs11:token=shop-ca;object=ca-v1',
  pinSecretRef: { name: 'hsm-pin' },
  certificate: { configMap: { name: 'hsm-ca' } },
};
const pkcs11With = (more: object) => spec({ selfManaged: null, pkcs11: { ...PKCS11, ...more } });

export const PKCS11_ROWS: readonly Omit<Row, 'kind'>[] = [
  {
    refuses: 'two places of a PIN',
    rule: 'spec.pkcs11',
    says: 'exactly one of pinSecretRef and pinFile must be set',
    bad: pkcs11With({ pinFile: 'pin' }),
    good: pkcs11With({}),
  },
  {
    refuses: 'a PIN in the URI of a key',
    rule: 'spec.pkcs11.uri',
    says: 'a query (pin-value, pin-source, module-path, module-name) is not allowed',
    bad: pkcs11With({ uri: `${PKCS11.uri}?pin-value=4711` }),
    good: pkcs11With({ uri: `${PKCS11.uri};type=private` }),
  },
  {
    refuses: 'two places of the certificate of an HSM',
    rule: 'spec.pkcs11.certificate',
    says: 'exactly one of configMap and secret must be set',
    bad: pkcs11With({ certificate: { configMap: { name: 'ca' }, secret: { name: 'ca' } } }),
    good: pkcs11With({ certificate: { secret: { name: 'ca' } } }),
  },
];
