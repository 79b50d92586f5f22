import { expect, test } from 'vitest';
import { parseFunctions } from './functions-document.ts';

const functions = 'functions: { email: { url: "http://email" }, ledger.prod: { url: "http://ledger" } }\n';

function problemsOf(groups: string): string[] {
  const parsed = parseFunctions(`${functions}${groups}`);
  return parsed.kind === 'refused'
    ? parsed.problems.map(({ line, path, problem }) => `${line}: ${path} ${problem}`)
    : [];
}

test('a group names the functions that one request calls', () => {
  const parsed = parseFunctions(`${functions}groups: { order-placed: [email, ledger.prod] }`);
  expect(parsed.kind === 'functions' && [...parsed.definition.groups]).toEqual([
    ['order-placed', ['email', 'ledger.prod']],
  ]);
});

test('a file without groups has none', () => {
  const parsed = parseFunctions(functions);
  expect(parsed.kind === 'functions' && parsed.definition.groups.size).toBe(0);
});

test.each([
  ['a name that is a function', 'groups: { email: [ledger.prod] }', '2: groups.email is a function as well'],
  ['a name that is none', 'groups: { "a b": [email] }', '2: groups.a b must be NAME or NAME.NAMESPACE'],
  ['no members', 'groups: { g: [] }', '2: groups.g must be a list of 1 to 100 functions'],
  ['a text', 'groups: { g: email }', '2: groups.g must be a list of 1 to 100 functions'],
  ['a member that is not known', 'groups: { g: [email, sms] }', '2: groups.g.1 names the function sms'],
  ['a member twice', 'groups: { g: [email, email] }', '2: groups.g.1 stands in the group a second time'],
])('a group with %s is refused', (_, groups, problem) => {
  expect(problemsOf(groups)).toEqual([expect.stringContaining(problem)]);
});

test('a default url makes any member a function, and a group may have any name that is not in the file', () => {
  expect(problemsOf('defaults: { url: "http://gw/{name}" }\ngroups: { g: [email, sms] }')).toEqual([]);
});
