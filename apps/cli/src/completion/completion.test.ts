import { Argument, Command } from 'commander';
import { expect, test } from 'vitest';
import { completeWords } from './complete-words.ts';

const program = new Command('asyncfn')
  .addCommand(
    new Command('call')
      .argument('<name>')
      .option('-d, --data <data>', 'the body')
      .option('--wait', 'wait')
      .option('--function <name>'),
  )
  .addCommand(new Command('calls').summary('find calls'))
  .addCommand(
    new Command('functions').addCommand(new Command('pause').argument('<name...>')).addCommand(new Command('list')),
  )
  .addCommand(new Command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh'])))
  .addCommand(new Command('complete'), { hidden: true });

const words = (line: string) => completeWords(program, line.split(' ')).candidates.map(({ word }) => word);
const wantsFunction = (line: string) => completeWords(program, line.split(' ')).wantsFunction;

test.each([
  ['', ['call', 'calls', 'functions', 'completion', 'help']],
  ['cal', ['call', 'calls']],
  ['functions ', ['pause', 'list', 'help']],
  ['functions pause x l', []],
  ['completion z', ['zsh']],
  ['call --w', ['--wait']],
  ['call -', ['--data', '--wait', '--function', '--help']],
  // The value of an option, which may be anything.
  ['call --data ', []],
  ['calls call', []],
])('after "asyncfn %s" may come %j', (line, expected) => {
  expect(words(line)).toEqual(expected);
});

test('names of functions are wanted where commands and options name one', () => {
  for (const line of ['call ', 'call -d x h', 'call --wait ', 'functions pause a b', 'call --function ']) {
    expect([line, wantsFunction(line)]).toEqual([line, true]);
  }
  for (const line of ['call --data ', 'call --', 'call hash ', 'calls ', '']) {
    expect([line, wantsFunction(line)]).toEqual([line, false]);
  }
});

test('candidates have their descriptions', () => {
  expect(completeWords(program, ['calls']).candidates).toEqual([{ word: 'calls', description: 'find calls' }]);
});
