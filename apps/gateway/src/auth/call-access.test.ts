import { anyone, type Caller, type Scope } from '@asyncfn/tokens';
import { expect, test } from 'vitest';
import { decideCallAccess } from './call-access.ts';

const caller = (name: string, scopes: Scope[], covers: Caller['covers'] = () => true): Caller => ({
  name,
  scopes: new Set(scopes),
  covers,
  rate: undefined,
});

const ofX = { submitter: 'x', function: 'echo' };
const ofNobody = { function: 'echo' };
/** The function `pdf` has another name. */
const names = { namesOf: (name: string) => (name === 'pdf' || name === 'pdf.fn' ? ['pdf', 'pdf.fn'] : [name]) };
const pdfOnly = (name: string) => name === 'pdf';

test.each([
  ['its submitter', caller('x', ['invoke']), ofX, 'allowed', 'allowed'],
  ['its submitter, for whom the function is no more', caller('x', ['invoke'], pdfOnly), ofX, 'allowed', 'allowed'],
  ['another submitter', caller('y', ['invoke']), ofX, 'hidden', 'hidden'],
  ['a reader', caller('y', ['read']), ofX, 'allowed', 'forbidden'],
  ['a reader of other functions', caller('y', ['read'], pdfOnly), ofX, 'hidden', 'hidden'],
  [
    'a reader of a function, by its other name',
    caller('y', ['read'], pdfOnly),
    { function: 'pdf.fn' },
    'allowed',
    'forbidden',
  ],
  ['an operator', caller('y', ['admin']), ofX, 'allowed', 'allowed'],
  ['anyone, where no token is asked for', anyone, ofX, 'allowed', 'allowed'],
  ['a submitter, of a call without one', caller('x', ['invoke']), ofNobody, 'hidden', 'hidden'],
  ['a reader, of a call without a submitter', caller('y', ['read']), ofNobody, 'allowed', 'forbidden'],
  ['anyone, of a call without a submitter', anyone, ofNobody, 'allowed', 'allowed'],
] as const)('%s', (_, who, call, read, cancel) => {
  expect([decideCallAccess(who, call, 'read', names), decideCallAccess(who, call, 'cancel', names)]).toEqual([
    read,
    cancel,
  ]);
});

test('a caller without a name is not the submitter of calls without one', () => {
  const nameless: Caller = { ...caller('', ['invoke']), name: undefined };
  expect(decideCallAccess(nameless, ofNobody, 'read', names)).toBe('hidden');
});
