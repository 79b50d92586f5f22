// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillIn, findReferences } from './variables.ts';

const environment: Record<string, string> = { HOST: 'gw', PORT: '8080', EMPTY: '', COST: '${HOST}', dashed: 'x' };
const variables = (name: string) => environment[name];

test.each([
  ['http://gw', 'http://gw'],
  ['http://${HOST}:${PORT}', 'http://gw:8080'],
  ['${HOST:-other}', 'gw'],
  ['${NONE:-other}', 'other'],
  ['${EMPTY:-other}', 'other'],
  ['${EMPTY:=other}${NONE=more}', 'othermore'],
  ['${EMPTY-other}${NONE-other}', 'other'],
  ['a${EMPTY}b${NONE:-}c', 'abc'],
  ['${NONE:-http://h:1/{name}?a=b#c}', 'http://h:1/{name}?a=b#c'],
  ['${NONE:-${HOST}-${PORT}}', 'gw-8080'],
  ['${NONE:-${NEITHER:-deep}}', 'deep'],
  ['$${HOST} $$${HOST}', '${HOST} $${HOST}'],
  ['$$${HOST}', '$${HOST}'],
  ['pa$$word $HOST $ {HOST} $', 'pa$$word $HOST $ {HOST} $'],
  ['${COST}', '${HOST}'],
  ['${NONE:-{}', '{'],
  ['${HOST', '${HOST'],
  ['${HOST\n}', '${HOST\n}'],
])('%j is %j', (text, filled) => {
  expect(fillIn(text, variables)).toEqual({ text: filled, problems: [] });
});

test.each([
  ['http://${NONE}:1', /^\$\{NONE\} is not set in the environment; .* default: \$\{NONE:-value\}$/],
  ['${NONE:-${NEITHER}}', /^\$\{NEITHER\} is not set/],
  ['${{ github.ref }}', /^\$\{\{ github\.ref \}\} cannot be filled in; write \$\{NAME\}/],
  ['${HOST^^}', /^\$\{HOST\^\^\} cannot be filled in/],
  ['${}', /^\$\{\} cannot be filled in/],
  ['${1}', /^\$\{1\} cannot be filled in/],
])('%j is left as it is, with a problem', (text, problem) => {
  const filled = fillIn(text, variables);
  expect(filled.problems).toEqual([expect.stringMatching(problem)]);
  expect(filled.text).toContain('${');
});

test('no problem names the value of a variable', () => {
  const { problems } = fillIn('${SECRET}${SECRET^^}${NONE}${NONE:-${SECRET!}}', () => 'hunter2');
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.join()).not.toContain('hunter2');
});

const pieces = fc
  .array(fc.constantFrom('$', '{', '}', '${', '$${', 'HOST', 'NONE', ':-', '=', ':', '\n', ' ', 'é'), { maxLength: 30 })
  .map((parts) => parts.join(''));

test('the references of any text are separated from the rest, which stays as it is', () => {
  fc.assert(
    fc.property(pieces, (text) => {
      let outside = '';
      let done = 0;
      for (const { start, end } of findReferences(text)) {
        expect(start).toBeGreaterThanOrEqual(done);
        expect(text.slice(start, end)).not.toContain('\n');
        expect(text.slice(start, end)).toMatch(/^\$\$?\{/);
        outside += text.slice(done, start);
        done = end;
      }
      const { text: filled, problems } = fillIn(text, () => '');
      expect(problems.length > 0 || filled.length >= outside.length).toBe(true);
      expect(fillIn(outside.replaceAll('${', ''), variables).problems).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});
