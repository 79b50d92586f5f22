import { inspect } from 'node:util';

export type Colour = 'blue' | 'cyan' | 'dim' | 'gray' | 'green' | 'magenta' | 'red' | 'white' | 'yellow';

/** Text with the terminal's codes for a colour, even if the output of this process has no colours. */
export function paint(colour: Colour, text: string): string {
  const [start, end] = inspect.colors[colour] ?? [0, 0];
  return `\x1b[${start}m${text}\x1b[${end}m`;
}
