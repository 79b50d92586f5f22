import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDeliveryInfo } from './delivery-info.ts';

const expected = {
  stream: 'CALLS_default',
  consumer: 'thumbnail@prod',
  deliveries: 3,
  streamSequence: 170,
  storedAtMs: 1_700_000_000_123,
  pending: 99,
};

test.each([
  ['of a server without domains', '$JS.ACK.CALLS_default.thumbnail@prod.3.170.42.1700000000123456789.99'],
  ['with domain and account', '$JS.ACK.hub.ACCHASH.CALLS_default.thumbnail@prod.3.170.42.1700000000123456789.99'],
  ['with a random token', '$JS.ACK._.ACCHASH.CALLS_default.thumbnail@prod.3.170.42.1700000000123456789.99.x7Gh'],
  ['with tokens to come', '$JS.ACK._.ACCHASH.CALLS_default.thumbnail@prod.3.170.42.1700000000123456789.99.x7Gh.new'],
])('reads a reply subject %s', (_, reply) => {
  expect(parseDeliveryInfo(reply)).toEqual(expected);
});

test.each([
  '',
  '_INBOX.abc.1',
  '$JS.ACK',
  '$JS.ACK.s.c.1.2.3.4',
  '$JS.ACK.a.b.s.c.1.2.3.4',
  '$JS.ACK.s.c.one.2.3.4.5',
  '$JS.ACK.s.c.1.2.3.4.-5',
  '$JS.ACK.s..1.2.3.4.5',
  '$JS.FC.s.c.1.2.3.4.5',
])('%j says nothing of a delivery', (reply) => {
  expect(parseDeliveryInfo(reply)).toBeUndefined();
});

test('any subject yields numbers', () => {
  const token = fc.oneof(fc.constantFrom('$JS', 'ACK', '1', '', '0x1'), fc.string({ maxLength: 4 }));
  fc.assert(
    fc.property(fc.array(token, { maxLength: 13 }), (tokens) => {
      const info = parseDeliveryInfo(['$JS', 'ACK', ...tokens].join('.'));
      for (const value of Object.values(info ?? {})) {
        expect(value).not.toBeNaN();
      }
    }),
  );
});
