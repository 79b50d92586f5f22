import { type Static, Type } from 'typebox';

/** A call that follows when another one has succeeded. */
export const ChainStep = Type.Object({
  /** `NAME` or `NAME.NAMESPACE`. */
  function: Type.String(),
  /** Where the function's calls waited when the chain was accepted: for a function that is gone by then. */
  queue: Type.String(),
  /** As in a call. */
  path: Type.String(),
  query: Type.String(),
});

export type ChainStep = Readonly<Static<typeof ChainStep>>;

/** `NAME[.NAMESPACE][/path][?query]` */
export function showStep({ function: name, path, query }: ChainStep): string {
  return `${name}${path}${query === '' ? '' : `?${query}`}`;
}

/** The parts of a step that `showStep` has written, or that was checked. */
export function splitStep(text: string): Omit<ChainStep, 'queue'> {
  const [name = ''] = text.split(/[/?]/, 1);
  const [path = ''] = text.slice(name.length).split('?', 1);
  return { function: name, path, query: text.slice(name.length + path.length + 1) };
}
