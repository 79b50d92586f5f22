import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FileDefinition, noFile, parseFunctions } from './document/functions-document.ts';
import { withApi, withoutApi } from './entry-layers.ts';
import { decodeEntry, encodeEntry, type FunctionEntry } from './function-entry.ts';
import { SharedFunctions, type StoredFunction, toWrite } from './shared-functions.ts';

function file(text: string): FileDefinition {
  const parsed = parseFunctions(text);
  if (parsed.kind === 'refused') {
    throw new Error('a test needs a good file');
  }
  return parsed.definition;
}

function entry(url: string, changes: Partial<FunctionEntry> = {}): FunctionEntry {
  return { source: 'api', paused: false, settings: { url }, ...changes };
}

function stored(revision: number, content: StoredFunction['content']): StoredFunction {
  return { revision, content, storedAt: 0 };
}

function urls(functions: SharedFunctions): Record<string, string> {
  return Object.fromEntries(functions.list().map(({ name, entry }) => [name, entry.settings.url]));
}

/** Carries out the changes that processes ask for, as far as they were read. */
function settle(functions: SharedFunctions, firstRevision: number): void {
  let revision = firstRevision;
  for (const [name, wish] of functions.wishes()) {
    const write = toWrite(wish, functions.stored(name));
    if (write.kind === 'put') {
      functions.takeStored(name, stored(revision++, write.entry));
    } else if (write.kind === 'remove') {
      functions.takeStored(name, stored(revision++, 'removed'));
    }
    if (write.kind !== 'leave') {
      functions.fulfil(name, wish);
    }
  }
}

describe('the functions that a process uses', () => {
  test('are those of its file until the register is there', () => {
    const functions = new SharedFunctions(file('functions: { a: { url: http://file } }'));
    expect(functions.find('a')).toMatchObject({ entry: { source: 'file' }, revision: undefined });
    expect(functions.toDefinition().definition.functions.get('a')).toMatchObject({ url: 'http://file' });
  });

  test('are those of the register once its file has been stored in it', () => {
    const functions = new SharedFunctions(file('functions: { a: { url: http://file } }'));
    functions.takeStored('b', stored(1, entry('http://b')));
    settle(functions, 2);
    functions.takeStored('a', stored(9, entry('http://later')));
    expect(urls(functions)).toEqual({ a: 'http://later', b: 'http://b' });
    expect(functions.find('a')?.revision).toBe(9);
  });

  test('are those of the newest revision, in whatever order the news come', () => {
    const functions = new SharedFunctions(noFile);
    functions.takeStored('a', stored(3, entry('http://new')));
    functions.takeStored('a', stored(2, 'removed'));
    expect(urls(functions)).toEqual({ a: 'http://new' });
    functions.takeStored('a', stored(4, 'removed'));
    functions.takeStored('a', stored(3, entry('http://new')));
    expect(urls(functions)).toEqual({});
  });

  test('do not include functions that the register has lost without a message', () => {
    const functions = new SharedFunctions(noFile);
    functions.takeStored('a', stored(1, entry('http://a')));
    functions.takeStored('b', stored(2, entry('http://b')));
    functions.keepOnly(new Set(['b']));
    expect(urls(functions)).toEqual({ b: 'http://b' });
  });

  test('leave out an entry that cannot be read, and follow the file if that names the function', () => {
    const functions = new SharedFunctions(file('functions: { a: { url: http://file } }'));
    functions.takeStored('a', stored(1, 'unreadable'));
    functions.takeStored('b', stored(2, 'unreadable'));
    settle(functions, 3);
    expect(urls(functions)).toEqual({ a: 'http://file' });
    expect(functions.stored('a')).toEqual(stored(1, 'unreadable'));
  });

  test('say which of them are paused', () => {
    const functions = new SharedFunctions(noFile);
    functions.takeStored('a', stored(1, entry('http://a', { paused: true })));
    functions.takeStored('b', stored(2, entry('http://b')));
    expect([...functions.toDefinition().paused]).toEqual(['a']);
  });
});

describe('a functions file', () => {
  test('ranks below the settings of the API, and replaces those of another file; a pause stays', () => {
    const functions = new SharedFunctions(
      file('functions: { a: { url: http://file, concurrency: 2 }, b: { url: http://file } }'),
    );
    const ofApi = entry('http://api', { paused: true });
    functions.takeStored('a', stored(1, ofApi));
    functions.takeStored('b', stored(2, entry('http://other', { source: 'file', paused: true })));
    expect(functions.wishes().map(([name, wish]) => toWrite(wish, functions.stored(name)))).toEqual([
      { kind: 'put', entry: { ...ofApi, file: { url: 'http://file', concurrency: 2 } } },
      { kind: 'put', entry: { source: 'file', paused: true, settings: { url: 'http://file' } } },
    ]);
    expect(urls(functions)).toEqual({ a: 'http://api', b: 'http://file' });
  });

  test('writes nothing if the register says the same', () => {
    const functions = new SharedFunctions(file('functions: { a: { url: http://file, retry: { attempts: 3 } } }'));
    const same = { url: 'http://file', retry: { attempts: 3 } };
    functions.takeStored('a', stored(1, { source: 'file', paused: false, settings: same }));
    const [, wish] = functions.wishes()[0]!;
    expect(toWrite(wish, functions.stored('a'))).toEqual({ kind: 'nothing' });
  });

  test('that changes is written where it has changed, and nowhere else', () => {
    const functions = new SharedFunctions(file('functions: { a: { url: http://a }, b: { url: http://b } }'));
    settle(functions, 1);
    functions.takeStored('a', stored(10, entry('http://api-a')));
    functions.takeFile(file('functions: { a: { url: http://a }, b: { url: http://b2 }, c: { url: http://c } }'));
    expect(urls(functions)).toEqual({ a: 'http://api-a', b: 'http://b2', c: 'http://c' });
    expect(functions.wishes().map(([name]) => name)).toEqual(['b', 'c']);
  });

  test('removes what it no longer names, except what the API has set', () => {
    const functions = new SharedFunctions(file('functions: { a: { url: http://a }, b: { url: http://b } }'));
    settle(functions, 1);
    functions.takeStored('b', stored(10, entry('http://api', { file: { url: 'http://b' } })));
    functions.takeFile(noFile);
    expect(urls(functions)).toEqual({ b: 'http://api' });
    settle(functions, 11);
    expect(functions.stored('a')?.content).toBe('removed');
    expect(functions.stored('b')?.content).toEqual(entry('http://api'));
  });

  test('that never named a function removes nothing, and reports those that an earlier file has left behind', () => {
    const functions = new SharedFunctions(noFile);
    functions.takeStored('old', stored(1, entry('http://old', { source: 'file' })));
    functions.takeStored('api', stored(2, entry('http://api')));
    settle(functions, 3);
    expect(urls(functions)).toEqual({ api: 'http://api', old: 'http://old' });
    expect(functions.unnamed()).toEqual(['old']);
  });

  test('of several processes: whatever they name and in whatever order they start, writing ends, and the last wins', () => {
    const text = fc.constantFrom('', ...['1', '2'].map((n) => `functions: { a: { url: http://h${n} } }`));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (texts) => {
        const bucket = new Map<string, StoredFunction>();
        const processes = texts.map((each, index) => {
          const starting = new SharedFunctions(file(each));
          learn(starting, bucket);
          settle(starting, index + 1);
          learn(starting, bucket);
          return starting;
        });
        for (const process of processes) {
          learn(process, bucket);
        }
        const last = texts.findLast((each) => each !== '');
        const expected = last === undefined ? {} : { a: /http:..h[12]/.exec(last)![0] };
        expect(processes.map(urls)).toEqual(processes.map(() => expected));
        expect(processes.flatMap((process) => process.wishes())).toEqual([]);
      }),
    );
  });
});

describe('if a namespace may be omitted', () => {
  const fn: FileDefinition = { ...noFile, defaultNamespace: 'fn' };

  test('a function that the register has under its long name is known by its short name, and is a stray', () => {
    const functions = new SharedFunctions(fn);
    functions.takeStored('a.fn', stored(4, entry('http://a', { paused: true })));
    functions.takeStored('b.other', stored(5, entry('http://b')));
    expect(urls(functions)).toEqual({ a: 'http://a', 'b.other': 'http://b' });
    expect(functions.find('a')).toMatchObject({ name: 'a', revision: 4 });
    expect(functions.strays()).toMatchObject([{ name: 'a.fn', oneName: 'a', revision: 4 }]);
    const { definition, paused } = functions.toDefinition();
    expect(definition.functions.get('a')).toMatchObject({ name: 'a', url: 'http://a' });
    expect([...paused]).toEqual(['a']);
  });

  test('of two entries for one function, that of the short name wins', () => {
    const functions = new SharedFunctions(fn);
    functions.takeStored('a.fn', stored(4, entry('http://long')));
    functions.takeStored('a', stored(5, entry('http://short')));
    expect(urls(functions)).toEqual({ a: 'http://short' });
    expect(functions.strays()).toMatchObject([{ name: 'a.fn', oneName: 'a' }]);
  });

  test('an entry tells every process of its second name', () => {
    const functions = new SharedFunctions(noFile);
    functions.takeStored('a', stored(1, entry('http://a', { settings: { url: 'http://a', defaultNamespace: 'fn' } })));
    functions.takeStored('b', stored(2, entry('http://b')));
    functions.takeStored('a.fn', stored(3, entry('http://late')));
    functions.takeStored('b.fn', stored(4, entry('http://other')));
    expect(urls(functions)).toEqual({ a: 'http://a', b: 'http://b', 'b.fn': 'http://other' });
    expect(functions.toDefinition().definition.namespaces).toEqual(new Map([['a', 'fn']]));
  });

  test('a function that was removed under its long name is no stray', () => {
    const functions = new SharedFunctions(fn);
    functions.takeStored('a.fn', stored(4, 'removed'));
    expect([functions.strays(), functions.list(), functions.find('a')]).toEqual([[], [], undefined]);
  });
});

/** Each learns the newer entries of the other. */
function learn(functions: SharedFunctions, bucket: Map<string, StoredFunction>): void {
  for (const [name, each] of bucket) {
    functions.takeStored(name, each);
  }
  for (const { name } of functions.list()) {
    const known = functions.stored(name);
    if (known !== undefined) {
      bucket.set(name, known);
    }
  }
}

test('the content of a lost register is restored, with its pauses, unless another process was faster', () => {
  const functions = new SharedFunctions(noFile);
  const paused = entry('http://a', { paused: true });
  functions.takeStored('a', stored(7, paused));
  functions.takeStored('b', stored(8, entry('http://b')));
  functions.loseStored();
  expect(urls(functions)).toEqual({ a: 'http://a', b: 'http://b' });
  functions.takeStored('b', stored(1, entry('http://faster')));
  settle(functions, 2);
  expect(urls(functions)).toEqual({ a: 'http://a', b: 'http://faster' });
  expect(functions.stored('a')?.content).toEqual(paused);
});

describe('the settings of the API', () => {
  const ofFile = entry('http://file', { source: 'file', paused: true });
  const ofBoth = entry('http://api', { paused: true, file: { url: 'http://file' } });

  test('win over those of a file, which apply again once the API removes its own', () => {
    expect(withApi(ofFile, { url: 'http://api' })).toEqual(ofBoth);
    expect(withApi(ofBoth, { url: 'http://api2' })).toEqual({ ...ofBoth, settings: { url: 'http://api2' } });
    expect(withoutApi(ofBoth)).toEqual(ofFile);
  });

  test('leave nothing behind that no file names, and a function that only a file names is removed whole', () => {
    expect(withApi(undefined, { url: 'http://api' })).toEqual(entry('http://api'));
    expect([withoutApi(entry('http://api')), withoutApi(ofFile)]).toEqual([undefined, undefined]);
  });

  test('are lost if a process of an earlier version starts, which writes the settings of its file over them', () => {
    const overwritten: FunctionEntry = { ...ofBoth, source: 'file', settings: { url: 'http://earlier' } };
    expect(withApi(overwritten, { url: 'http://api' }).file).toEqual({ url: 'http://earlier' });
    expect(withoutApi(overwritten)).toBeUndefined();
  });
});

describe('an entry', () => {
  test('is read as it was written', () => {
    const settings = { url: 'http://a', retry: { codes: [429] } };
    const written = entry('http://a', { paused: true, settings, file: { url: 'http://b' } });
    expect(decodeEntry(encodeEntry(written))).toEqual(written);
  });

  test('of a later version keeps its unknown fields', () => {
    const later = { v: 1, source: 'api', paused: false, owner: 'x', settings: { url: 'http://a', colour: 'red' } };
    expect(JSON.parse(encodeEntry(decodeEntry(JSON.stringify(later))!))).toEqual(later);
  });

  test.each(['', 'null', '[]', '{"v":2}', '{"v":1,"source":"api","paused":false,"settings":{"url":"nonsense"}}'])(
    'is not %s',
    (text) => expect(decodeEntry(text)).toBeUndefined(),
  );
});
