// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readYaml } from './read-yaml.ts';

function lineOf(text: string, ...keys: string[]): number | undefined {
  const read = readYaml(text);
  return read.kind === 'value' ? read.lineOf(keys) : undefined;
}

test('the line of a value is that of its key, or of the closest thing around it', () => {
  const text = 'a:\n  b: 1\n  c:\n    - x\n    - y\n';
  expect(lineOf(text, 'a', 'b')).toBe(2);
  expect(lineOf(text, 'a', 'c', '1')).toBe(5);
  expect(lineOf(text, 'a', 'missing', 'deep')).toBe(1);
  expect(lineOf(text)).toBe(1);
});

test('an empty text is an empty map', () => {
  expect(readYaml('')).toMatchObject({ kind: 'value', value: {} });
});

test.each([
  ['a: [', 1],
  ['a: 1\na: 2', 2],
  ['a:\n  b: *unknown', 2],
  ['a: 1\n\uFEFFb: 2', 2],
])('%j is named by its line', (text, line) => {
  expect(readYaml(text)).toMatchObject({
    kind: 'faults',
    faults: expect.arrayContaining([expect.objectContaining({ line })]),
  });
});

describe('of the documents in a file', () => {
  test.each(['a: 1\n---\n', '---\na: 1\n---', '---\n# nothing yet\n---\na: 1\n---\n# end\n', 'a: 1\n...\n---\n~\n'])(
    'empty ones do not count: %j',
    (text) => {
      expect(readYaml(text)).toMatchObject({ kind: 'value', value: { a: 1 } });
    },
  );

  test.each(['---', '---\n---\n', '# nothing\n---\n'])('all may be empty: %j', (text) => {
    expect(readYaml(text)).toMatchObject({ kind: 'value', value: {} });
  });

  test('only one may have content, and each further one is named with its line, beside all other mistakes', () => {
    const text = 'a: [\n---\nb: 2\n---\nc: 3\n';
    const problem = expect.stringMatching(/^a second document starts here, and the file may hold only one: /);
    expect(readYaml(text)).toEqual({
      kind: 'faults',
      faults: [
        { line: 2, problem: expect.not.stringContaining('document') },
        { line: 2, problem },
        { line: 4, problem },
      ],
    });
    expect(lineOf('a: 1\n---\n', 'a')).toBe(1);
    expect(lineOf('---\n---\na: 1\n---\n', 'a')).toBe(3);
  });
});

describe('variables', () => {
  const environment: Record<string, string> = {
    HOST: 'gw',
    COUNT: '5',
    YES: 'true',
    BLOCK: 'x: 1\ny: [2] # no comment',
    SECRET: 'hunter2',
  };
  const variables = (name: string) => environment[name];
  const read = (text: string) => {
    const content = readYaml(text, { variables });
    if (content.kind === 'faults') {
      throw new Error(JSON.stringify(content.faults));
    }
    return content;
  };

  test('are filled in anywhere in a text, in keys as well, but not in comments', () => {
    const text = `
a-\${HOST}: http://\${HOST}:8080 # not \${THIS}
list: ["\${HOST}", '\${HOST}', \${HOST}]
map: { url: \${HOST}, default: \${NONE:-a, b: {c} #d} }
text: |
  \${HOST}
  \${HOST}
`;
    expect(read(text)).toMatchObject({
      problems: [],
      value: {
        'a-gw': 'http://gw:8080',
        list: ['gw', 'gw', 'gw'],
        map: { url: 'gw', default: 'a, b: {c} #d' },
        text: 'gw\ngw\n',
      },
    });
  });

  test('without quotes have the type that YAML gives to their text, and within quotes are text', () => {
    expect(read('a: ${COUNT}\nb: "${COUNT}"\nc: ${YES}\nd: ${NONE:-1}${COUNT}\ne: !!str ${COUNT}').value).toEqual({
      a: 5,
      b: '5',
      c: true,
      d: 15,
      e: '5',
    });
  });

  test('hold the text of one value, whatever it looks like', () => {
    const { value } = read('a: ${BLOCK}\nb: "${BLOCK}"\n');
    expect(value).toEqual({ a: environment['BLOCK'], b: environment['BLOCK'] });
  });

  test('reach through anchors, aliases and merges', () => {
    const text = 'common: &common { a: "${HOST}" }\nscalar: &s ${COUNT}\none: *common\ntwo: { <<: *common, n: *s }';
    expect(read(text).value).toMatchObject({ scalar: 5, one: { a: 'gw' }, two: { a: 'gw', n: 5 } });
  });

  test('that are not set are problems with their place, and stay as they are written', () => {
    const { value, problems, lineOf } = read('a:\n  b: x${NONE}\n  ${GONE}: 1\n  c: 2\n');
    expect(value).toEqual({ a: { b: 'x${NONE}', '${GONE}': 1, c: 2 } });
    expect(problems.map(({ keys, problem }) => [lineOf(keys), keys.join('.'), problem])).toEqual([
      [2, 'a.b', expect.stringContaining('${NONE} is not set')],
      [3, 'a.${GONE}', expect.stringContaining('${GONE} is not set')],
    ]);
    expect(lineOf(['a', 'c'])).toBe(4);
  });

  test('are filled in within a key that is a list or a map', () => {
    const { value, written, writtenPath } = read('[${HOST}, 1]: x\n{ a: ${HOST} }: ${HOST}\n');
    expect(value).toEqual({ '[ gw, 1 ]': 'x', '{ a: gw }': 'gw' });
    expect(writtenPath(['[ gw, 1 ]'])).toEqual(['[ ${HOST}, 1 ]']);
    expect(written(['{ a: gw }'])).toBe('${HOST}');
  });

  test('may not make two keys equal', () => {
    const { problems } = read('gw: 1\n${HOST}: 2\n');
    expect(problems).toEqual([{ keys: ['gw'], problem: expect.stringContaining('a second time') }]);
  });

  test('show where they were filled in, and not their values', () => {
    const { written } = read('a: http://u:${SECRET}@${HOST}\nb: plain');
    expect(written(['a'])).toBe('http://u:${SECRET}@${HOST}');
    expect(written(['b'])).toBeUndefined();
    expect(read('a: { "x-${SECRET}": { y: 1 } }').writtenPath(['a', 'x-hunter2', 'y'])).toEqual([
      'a',
      'x-${SECRET}',
      'y',
    ]);
    const fault = readYaml('a: *${SECRET}', { variables });
    expect(JSON.stringify(fault)).toContain('${SECRET}');
    expect(JSON.stringify(fault)).not.toContain('hunter2');
  });

  test('stay as they are for a reader that fills in none', () => {
    expect(readYaml('a: ${HOST}')).toMatchObject({ value: { a: '${HOST}' }, problems: [] });
  });

  test('any text reads as it would with every reference written out as a word', () => {
    const part = fc.constantFrom('a', ':', ' ', '\n', '  ', '- ', '{', '}', '[', ']', ',', '"', "'", '#', '|', '${X}');
    const texts = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        const filled = readYaml(text, { variables: () => 'word' });
        const plain = readYaml(text.replaceAll('${X}', 'word'));
        expect(filled.kind).toBe(plain.kind);
        if (filled.kind === 'value' && plain.kind === 'value' && filled.problems.length === 0) {
          expect(filled.value).toEqual(plain.value);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
