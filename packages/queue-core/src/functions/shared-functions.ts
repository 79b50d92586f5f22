import { isDeepStrictEqual } from 'node:util';
import type { FileDefinition, FunctionsDefinition } from './document/index.ts';
import { withFile } from './entry-layers.ts';
import { toFunctionConfig } from './function-config.ts';
import { type FunctionEntry, isPaused } from './function-entry.ts';
import { namespacesOf } from './function-settings.ts';
import type { FunctionSettings } from './functions-schema.ts';
import { resolveName } from './names/index.ts';

/** The entry of the shared register under a name. */
export interface StoredFunction {
  /** Grows with every change of the name, also when it is removed. */
  readonly revision: number;
  readonly content: FunctionEntry | 'removed' | 'unreadable';
  /** When it was stored, by the broker's clock: Unix time in milliseconds. */
  readonly storedAt: number;
}

/** A function that exists, as this process knows it. */
export interface KnownFunction {
  readonly name: string;
  readonly entry: FunctionEntry;
  /** Undefined while it is not in the shared register yet. */
  readonly revision: number | undefined;
}

/** An entry of the shared register that does not stand under the one name of its function. */
export interface StrayFunction {
  readonly name: string;
  readonly oneName: string;
  readonly entry: FunctionEntry;
  readonly revision: number;
}

/** A change that this process wants to make to the shared register. */
export type Wish =
  /** Its functions file names the function, with these settings, or does not name it any more. */
  | { readonly kind: 'file'; readonly settings: FunctionSettings | undefined }
  /** The register has been lost, and we remember what it held. */
  | { readonly kind: 'restore'; readonly entry: FunctionEntry };

/** A write to the shared register. */
export type EntryWrite = { readonly kind: 'put'; readonly entry: FunctionEntry } | { readonly kind: 'remove' };

/**
 * What to do about a wanted change. `nothing`: the register is as wanted. `leave`: the change applies to this process
 * only.
 */
export type WishedWrite = EntryWrite | { readonly kind: 'nothing' } | { readonly kind: 'leave' };

/** Decides what to do about a wanted change, given the current entry. */
export function toWrite(wish: Wish, stored: StoredFunction | undefined): WishedWrite {
  if (stored?.content === 'unreadable') {
    return { kind: 'leave' }; // written by a later version
  }
  if (wish.kind === 'restore') {
    return stored === undefined ? { kind: 'put', entry: wish.entry } : { kind: 'nothing' };
  }
  const there = readable(stored);
  const entry = withFile(there, wish.settings);
  if (isDeepStrictEqual(entry, there)) {
    return { kind: 'nothing' };
  }
  return entry === undefined ? { kind: 'remove' } : { kind: 'put', entry };
}

function readable(stored: StoredFunction | undefined): FunctionEntry | undefined {
  return typeof stored?.content === 'object' ? stored.content : undefined;
}

/**
 * The functions as a process knows them: those of the shared register, and over them the changes that this process has
 * not written yet. Before the register exists, these are the whole functions file.
 */
export class SharedFunctions {
  readonly #stored = new Map<string, StoredFunction>();
  readonly #wishes = new Map<string, Wish>();
  #file: FileDefinition;

  constructor(file: FileDefinition) {
    this.#file = file;
    for (const [name, settings] of file.settings) {
      this.#wishes.set(name, { kind: 'file', settings });
    }
  }

  /** The current settings of the functions file. */
  get file(): FileDefinition {
    return this.#file;
  }

  /** The file has a new content. Functions whose entry has not changed are left alone. */
  takeFile(file: FileDefinition): void {
    for (const name of new Set([...this.#file.settings.keys(), ...file.settings.keys()])) {
      const settings = file.settings.get(name);
      if (!isDeepStrictEqual(this.#file.settings.get(name), settings)) {
        this.#wishes.set(name, { kind: 'file', settings });
      }
    }
    this.#file = file;
  }

  /** A change of the register. An older one than the last is ignored. */
  takeStored(name: string, stored: StoredFunction): void {
    if (stored.revision > (this.#stored.get(name)?.revision ?? 0)) {
      this.#stored.set(name, stored);
    }
  }

  /** The register has been read from end to end, and these are the names that it holds. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#stored.keys()) {
      if (!names.has(name)) {
        this.#stored.delete(name);
      }
    }
  }

  /** The register was recreated: its entries must be written again. */
  loseStored(): void {
    for (const { name, entry } of this.list()) {
      if (!this.#wishes.has(name)) {
        this.#wishes.set(name, { kind: 'restore', entry });
      }
    }
    this.#stored.clear();
  }

  stored(name: string): StoredFunction | undefined {
    return this.#stored.get(name);
  }

  wishes(): [name: string, wish: Wish][] {
    return [...this.#wishes];
  }

  /** The change is written, unless another one has replaced it. */
  fulfil(name: string, wish: Wish): void {
    if (this.#wishes.get(name) === wish) {
      this.#wishes.delete(name);
    }
  }

  /** The functions that exist, by name. */
  list(): KnownFunction[] {
    const names = [...this.#stored.keys(), ...this.#wishes.keys()].map((name) => this.#toOneName(name));
    const strays = new Map(this.strays().map((stray) => [stray.oneName, toKnown(stray)]));
    const known = [...new Set(names)].sort().map((name) => this.#findUnder(name) ?? strays.get(name));
    return known.filter((each) => each !== undefined);
  }

  /** @param name the one name of the function */
  find(name: string): KnownFunction | undefined {
    const known = this.#findUnder(name);
    if (known !== undefined) {
      return known;
    }
    const stray = this.strays().find(({ oneName }) => oneName === name);
    return stray && toKnown(stray);
  }

  /**
   * Functions that the register holds under a name that includes the default namespace. Processes with other settings
   * have written them, or it was before the setting existed.
   */
  strays(): StrayFunction[] {
    return [...this.#stored].flatMap(([name, { revision, content }]) => {
      const oneName = this.#toOneName(name);
      return oneName === name || typeof content !== 'object' ? [] : [{ name, oneName, entry: content, revision }];
    });
  }

  #toOneName(name: string): string {
    const namespaceOf = (short: string) => this.#findUnder(short)?.entry.settings.defaultNamespace;
    return resolveName(name, this.#file.defaultNamespace, namespaceOf);
  }

  #findUnder(name: string): KnownFunction | undefined {
    const stored = this.#stored.get(name);
    const wish = this.#wishes.get(name);
    if (wish?.kind === 'restore' && stored === undefined) {
      return { name, entry: wish.entry, revision: undefined };
    }
    const entry = wish?.kind === 'file' ? withFile(readable(stored), wish.settings) : readable(stored);
    return entry && { name, entry, revision: wish?.kind === 'file' ? undefined : stored?.revision };
  }

  /** Functions that a functions file has registered and ours does not name, nor does it say to discover them. */
  unnamed(): string[] {
    const isFound = ({ discovered }: FunctionSettings) =>
      discovered !== undefined && this.#file.discovery !== undefined;
    return this.list()
      .filter(
        ({ name, entry }) => entry.source === 'file' && !this.#file.settings.has(name) && !isFound(entry.settings),
      )
      .map(({ name }) => name);
  }

  toDefinition(): { readonly definition: FunctionsDefinition; readonly paused: ReadonlySet<string> } {
    const known = this.list();
    const functions = new Map(known.map(({ name, entry }) => [name, toFunctionConfig(name, entry.settings)]));
    const paused = known.filter(({ entry }) => isPaused(entry)).map(({ name }) => name);
    const namespaces = namespacesOf(known.map(({ name, entry }) => [name, entry.settings]));
    const { fallback, defaultNamespace } = this.#file;
    return { definition: { functions, fallback, namespaces, defaultNamespace }, paused: new Set(paused) };
  }
}

function toKnown({ oneName: name, entry, revision }: StrayFunction): KnownFunction {
  return { name, entry, revision };
}
