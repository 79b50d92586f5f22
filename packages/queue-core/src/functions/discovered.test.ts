import { expect, test } from 'vitest';
import { type FileDefinition, withoutFile } from './document/index.ts';
import { decodeEntry, encodeEntry, type FunctionEntry, isPaused } from './function-entry.ts';
import { SharedFunctions } from './shared-functions.ts';

const noFile = withoutFile(undefined);
const url = 'http://gw/function/env.openfaas-fn';
const entryOf = (entry: Partial<FunctionEntry>): FunctionEntry => ({
  source: 'file',
  paused: false,
  settings: { url },
  ...entry,
});

test.each([
  [false, undefined, false],
  [false, {}, false],
  [false, { absent: true }, true],
  [true, {}, true],
  [true, { absent: true }, true],
])('with paused %s, a function that is %j is paused: %s', (paused, discovered, expected) => {
  const entry = entryOf({ paused, settings: { url, ...(discovered && { discovered }) } });
  expect(isPaused(entry)).toBe(expected);
  expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
});

test('an absent function exists and is paused, until the register has it as present', () => {
  const functions = new SharedFunctions(noFile);
  const stored = (revision: number, discovered: { absent?: boolean }) =>
    functions.takeStored('env', { revision, content: entryOf({ settings: { url, discovered } }), storedAt: 0 });
  stored(1, { absent: true });
  expect([...functions.toDefinition().paused]).toEqual(['env']);
  stored(2, {});
  expect([...functions.toDefinition().paused]).toEqual([]);
  expect(functions.list().map(({ name }) => name)).toEqual(['env']);
});

test('a function that was found is no left-over of an earlier file, as long as the file says to find some', () => {
  const unnamedOf = (file: FileDefinition): string[] => {
    const functions = new SharedFunctions(file);
    functions.takeStored('env', { revision: 1, content: entryOf({ settings: { url, discovered: {} } }), storedAt: 0 });
    return functions.unnamed();
  };
  expect(unnamedOf(noFile)).toEqual(['env']);
  const discovery = { url: 'http://gw', user: 'admin', tokenFile: undefined, everyMs: 30_000 };
  expect(unnamedOf({ ...noFile, discovery })).toEqual([]);
});
