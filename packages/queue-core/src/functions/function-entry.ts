import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type FunctionSettings, StoredSettings } from './functions-schema.ts';

/** Version 1 of the layout. Fields that a reader does not know stay as they are. */
const StoredEntry = Type.Object({
  v: Type.Literal(1),
  source: Type.Union([Type.Literal('file'), Type.Literal('api')]),
  paused: Type.Boolean(),
  settings: StoredSettings,
  file: Type.Optional(StoredSettings),
});

const stored = Compile(StoredEntry);

/** A function as the register that all processes share keeps it. */
export interface FunctionEntry extends Readonly<Omit<Static<typeof StoredEntry>, 'v'>> {
  /** Whose settings are in force: those of a functions file, or of the API. */
  readonly source: 'file' | 'api';
  /** Paused: its calls wait until it is resumed. */
  readonly paused: boolean;
  /** The settings of a functions file that come back into force if those of the API are deleted. */
  readonly file?: FunctionSettings;
}

/** Whether no calls are delivered: an operator has paused the function, or the OpenFaaS that had it has it no more. */
export function isPaused({ paused, settings }: Pick<FunctionEntry, 'paused' | 'settings'>): boolean {
  return paused || settings.discovered?.absent === true;
}

export function encodeEntry(entry: FunctionEntry): string {
  return JSON.stringify({ v: 1, ...entry });
}

/** Undefined for anything but an entry of a known layout. */
export function decodeEntry(text: string): FunctionEntry | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!stored.Check(parsed)) {
      return undefined;
    }
    const { v: _, ...entry } = parsed;
    return entry;
  } catch {
    return undefined;
  }
}
