import { expect, test } from 'vitest';
import { type FunctionsDefinition, parseFunctions } from './document/functions-document.ts';
import { FunctionRegister } from './function-register.ts';

function definition(text: string): FunctionsDefinition {
  const parsed = parseFunctions(text);
  if (parsed.kind === 'refused') {
    throw new Error('a test needs a good definition');
  }
  return parsed.definition;
}

test('an empty register knows no function', () => {
  const register = new FunctionRegister();
  expect(register.lookup('echo')).toBeUndefined();
  expect(register.list()).toEqual([]);
});

test('a registered function is found by its exact name', () => {
  const register = new FunctionRegister(definition('functions: { echo.prod: { url: http://echo } }'));
  expect(register.lookup('echo.prod')).toMatchObject({ name: 'echo.prod', url: 'http://echo' });
  expect(register.lookup('echo')).toBeUndefined();
  expect(register.list().map(({ name }) => name)).toEqual(['echo.prod']);
});

test('with a default url every valid name is a function, registered ones keep their own settings', () => {
  const text = 'functions: { a: { url: http://own } }\ndefaults: { url: "http://x/{name}" }';
  const register = new FunctionRegister(definition(text));
  expect(register.lookup('a')?.url).toBe('http://own');
  expect(register.lookup('b.prod')?.url).toBe('http://x/b.prod');
  expect(register.lookup('no such name')).toBeUndefined();
  expect(register.lookup('b/../c')).toBeUndefined();
  expect(register.list()).toHaveLength(1);
});

test('listeners learn of each change until they leave, and find the new definition in place', () => {
  const register = new FunctionRegister();
  const seen: (string | undefined)[] = [];
  const leave = register.onChange(() => seen.push(register.lookup('a')?.url));
  register.replace(definition('functions: { a: { url: http://one } }'));
  register.replace(definition(''));
  leave();
  register.replace(definition('functions: { a: { url: http://two } }'));
  expect(seen).toEqual(['http://one', undefined]);
});

test('the register tells which functions are paused, or that it does not know', () => {
  const register = new FunctionRegister();
  register.replace(definition('functions: { a: { url: http://a } }'));
  expect(register.isPaused('a')).toBeUndefined();
  register.replace(definition('functions: { a: { url: http://a }, b: { url: http://b } }'), new Set(['a']));
  expect([register.isPaused('a'), register.isPaused('b'), register.isPaused('c')]).toEqual([true, false, false]);
});
