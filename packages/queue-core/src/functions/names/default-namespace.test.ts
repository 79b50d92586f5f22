import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FunctionsDefinition, parseFunctions } from '../document/functions-document.ts';
import { FunctionRegister } from '../function-register.ts';
import { allNames, toOneName } from './default-namespace.ts';

function definition(text: string, defaultNamespace?: string): FunctionsDefinition {
  const parsed = parseFunctions(text, { defaultNamespace });
  if (parsed.kind === 'refused') {
    throw new Error(JSON.stringify(parsed.problems));
  }
  return parsed.definition;
}

function problemsOf(text: string, defaultNamespace?: string): string[] {
  const parsed = parseFunctions(text, { defaultNamespace });
  return parsed.kind === 'refused' ? parsed.problems.map((p) => `${p.line}: ${p.path} ${p.problem}`) : [];
}

test.each([
  ['a', 'fn', 'a'],
  ['a.fn', 'fn', 'a'],
  ['a.other', 'fn', 'a.other'],
  ['a.fn', undefined, 'a.fn'],
  ['a.b.fn', 'fn', 'a.b.fn'],
  ['.fn', 'fn', '.fn'],
  ['fn', 'fn', 'fn'],
  ['fn.fn', 'fn', 'fn'],
])('%s with the default namespace %s is %s', (name, namespace, oneName) => {
  expect(toOneName(name, namespace)).toBe(oneName);
});

test('all names of a function have the same short name, and names of different functions do not', () => {
  const part = fc.stringMatching(/^[a-c-]{1,2}$/);
  const name = fc.tuple(part, fc.option(part)).map(([short, space]) => (space === null ? short : `${short}.${space}`));
  fc.assert(
    fc.property(name, name, part, (one, other, namespace) => {
      const [a, b] = [toOneName(one, namespace), toOneName(other, namespace)];
      expect(allNames(a, [namespace]).map((each) => toOneName(each, namespace))).toContain(a);
      expect(new Set(allNames(a, [namespace]).map((each) => toOneName(each, namespace)))).toEqual(new Set([a]));
      const shared = allNames(a, [namespace]).filter((each) => allNames(b, [namespace]).includes(each));
      expect(shared.length > 0).toBe(a === b);
    }),
  );
});

const openfaas = (functions: string) => `provider: { name: openfaas, gateway: http://gw }\n${functions}`;

describe('NAME and NAME.openfaas-fn are one function', () => {
  test.each([
    ['of a stack', openfaas('functions: { a: {} }'), undefined],
    ['of a stack that names the namespace', openfaas('functions: { a: { namespace: openfaas-fn } }'), undefined],
    ['of a stack that names it in the key', openfaas('functions: { a.openfaas-fn: {} }'), undefined],
    [
      'with an annotation',
      'functions: { a: { url: http://a, annotations: { com.openfaas.health.http.path: /x } } }',
      undefined,
    ],
    ['by the setting', 'functions: { a: { url: http://a } }', 'openfaas-fn'],
    ['by the setting, under the long name', 'functions: { a.openfaas-fn: { url: http://a } }', 'openfaas-fn'],
  ])('%s', (_, text, defaultNamespace) => {
    const register = new FunctionRegister(definition(text, defaultNamespace));
    expect(register.list().map(({ name }) => name)).toEqual(['a']);
    for (const name of ['a', 'a.openfaas-fn']) {
      expect(register.lookup(name)).toBe(register.list()[0]);
      expect(register.resolve(name)).toBe('a');
      expect(register.namesOf(name)).toEqual(['a', 'a.openfaas-fn']);
    }
    expect(register.lookup('a.dev')).toBeUndefined();
  });

  test('paused or not', () => {
    const register = new FunctionRegister();
    register.replace(definition(openfaas('functions: { a: {}, b: {} }')), new Set(['a']));
    expect([register.isPaused('a.openfaas-fn'), register.isPaused('b.openfaas-fn')]).toEqual([true, false]);
  });

  test.each([
    ['of a stack', openfaas('defaults: { url: "http://x/{name}" }'), undefined],
    ['by the setting', 'defaults: { url: "http://x/{name}" }', 'openfaas-fn'],
  ])('that exists by the url of defaults alone, %s', (_, text, defaultNamespace) => {
    const register = new FunctionRegister(definition(text, defaultNamespace));
    expect(register.lookup('a.openfaas-fn')).toMatchObject({ name: 'a', url: 'http://x/a' });
    expect(register.lookup('a')).toMatchObject({ name: 'a', url: 'http://x/a' });
    expect(register.lookup('a.dev')).toMatchObject({ name: 'a.dev', url: 'http://x/a.dev' });
    expect(register.namesOf('a.openfaas-fn')).toEqual(['a', 'a.openfaas-fn']);
    expect(register.lookup('a b.openfaas-fn')).toBeUndefined();
  });
});

describe('NAME and NAME.openfaas-fn are two functions', () => {
  test.each([
    ['where nothing says otherwise', 'functions: { a: { url: http://a } }', undefined],
    ['where an annotation is of others', 'functions: { a: { url: http://a, annotations: { topic: x } } }', undefined],
    ['where the setting names another namespace', openfaas('functions: { a: {} }'), 'fn'],
  ])('%s', (_, text, defaultNamespace) => {
    const register = new FunctionRegister(definition(text, defaultNamespace));
    expect(register.lookup('a')).toBeDefined();
    expect(register.lookup('a.openfaas-fn')).toBeUndefined();
    expect(register.resolve('a.openfaas-fn')).toBe('a.openfaas-fn');
  });

  test('if a function of a stack is in another namespace', () => {
    const register = new FunctionRegister(definition(openfaas('functions: { a: { namespace: dev } }')));
    expect(register.lookup('a.dev')).toBeDefined();
    expect(register.lookup('a')).toBeUndefined();
    expect(register.namesOf('a.dev')).toEqual(['a.dev']);
  });
});

test.each([
  [openfaas('functions:\n  a: {}\n  a.openfaas-fn: {}'), undefined],
  [
    openfaas('functions:\n  a: { namespace: openfaas-fn }\n  a: {}').replace('  a: {}', '  "a.openfaas-fn": {}'),
    undefined,
  ],
  ['defaults: {}\nfunctions:\n  a: { url: http://a }\n  a.openfaas-fn: { url: http://b }', 'openfaas-fn'],
  [
    'defaults: {}\nfunctions:\n  a.openfaas-fn: { url: http://b }\n  a: { url: http://a, annotations: { com.openfaas.queue: q } }',
    undefined,
  ],
])('a file that names both is refused: %j', (text, defaultNamespace) => {
  expect(problemsOf(text, defaultNamespace)).toEqual([
    expect.stringMatching(
      /^4: functions\.a(\.openfaas-fn)? is a function that stands here a second time; NAME and NAME\.openfaas-fn are one function$/,
    ),
  ]);
});
