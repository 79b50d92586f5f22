import { expect, test } from 'vitest';
import { type Scenario, scales } from './scenario.ts';
import { select } from './select.ts';

function scenario(name: string, ...cases: string[]): Scenario {
  const toCase = (each: string) => ({ name: each, subjects: [] });
  return { name, title: name, figures: [], reference: 'floor', cases: () => cases.map(toCase) };
}

const scenarios = [scenario('accept', '1 connection', '64 connections'), scenario('drain', '64 slots')];

function selected(...filters: string[]): string[] {
  return select(scenarios, filters, scales.smoke).flatMap((each) =>
    each.cases.map(({ name }) => `${each.scenario.name}/${name}`),
  );
}

test('without a filter everything is measured', () => {
  expect(selected()).toEqual(['accept/1 connection', 'accept/64 connections', 'drain/64 slots']);
});

test('a filter takes scenarios and cases by a part of their names', () => {
  expect(selected('accept')).toEqual(['accept/1 connection', 'accept/64 connections']);
  expect(selected('64')).toEqual(['accept/64 connections', 'drain/64 slots']);
  expect(selected('accept/1', 'drain')).toEqual(['accept/1 connection', 'drain/64 slots']);
});

test('a filter without a match selects nothing', () => {
  expect(selected('accpt')).toEqual([]);
});
