import { isDeepStrictEqual } from 'node:util';
import { createCallId } from '@asyncfn/queue-core';
import type { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import type { DocumentContext, FileDefinition, FunctionConfig } from '@asyncfn/queue-core/functions';
import { fileOf, type ScheduleSettings, withFileSettings, withoutFileSettings } from '@asyncfn/queue-core/schedules';
import { type Component, every, type Logger } from '@asyncfn/service-kit';
import { anyone } from '@asyncfn/tokens';
import type { AcceptContext } from '../enqueue/index.ts';
import type { Refusal } from '../problem.ts';
import { checkCalls } from './check-schedule.ts';
import type { ScheduleRegister } from './schedule-register.ts';

type Schedules = FileDefinition['schedules'];
type CallProblems = NonNullable<DocumentContext['callProblems']>;

export interface FileSchedulesOptions {
  readonly register: Pick<ScheduleRegister, 'change' | 'list'>;
  readonly context: Omit<AcceptContext, 'createCallId'>;
  /** Whether the broker can be asked. */
  readonly ready: () => boolean;
  readonly logger: Logger;
}

export interface FollowedSchedulesOptions extends FileSchedulesOptions {
  /** The schedules of the functions file as it is now. */
  readonly current: () => Schedules;
  /** Calls the listener on each connection: the broker may have lost them. */
  readonly onReady: (listener: () => void) => void;
}

/** Most schedules that one line of the log names. */
const maxNamed = 50;
/** How often the gateway looks for changes, in milliseconds. */
const lookMs = 1_000;

/** Keeps the schedules of a functions file stored. */
export function followedSchedules(options: FollowedSchedulesOptions): Component {
  const { current, onReady, logger } = options;
  const schedules = new FileSchedules(options);
  const onError = (err: unknown): void => logger.warn({ err }, 'schedules of the functions file cannot be stored yet');
  return {
    name: 'schedules of the functions file',
    start(signal) {
      onReady(() => schedules.forget());
      void every(lookMs, () => schedules.store(current()), { signal, onError });
    },
  };
}

/** The schedules of a functions file, and which of them are stored. */
export class FileSchedules {
  readonly #options: FileSchedulesOptions;
  /** What the file says of each name that was stored; undefined if it is not stored. */
  readonly #stored = new Map<string, ScheduleSettings | undefined>();
  /** Why those that are not valid now are not: each reason is logged once. */
  readonly #refused = new Map<string, string>();
  #isCompared = false;

  constructor(options: FileSchedulesOptions) {
    this.#options = options;
  }

  /** The broker may have lost what was stored. */
  forget(): void {
    for (const [name, settings] of this.#stored) {
      if (settings !== undefined) {
        this.#stored.set(name, undefined);
      }
    }
  }

  /** Stores what has changed since the last time. Throws `QueueError` and `RefusalError`. */
  async store(schedules: Schedules): Promise<void> {
    if (!this.#options.ready() || !this.#options.context.knowsAll()) {
      return;
    }
    for (const [name, settings] of schedules) {
      if (!isDeepStrictEqual(this.#stored.get(name), settings)) {
        const isStored = await this.#put(name, settings);
        this.#stored.set(name, isStored ? settings : undefined);
      }
    }
    for (const name of [...this.#stored.keys()].filter((each) => !schedules.has(each))) {
      await this.#options.register.change(name, (there) => there && withoutFileSettings(there.entry));
      this.#stored.delete(name);
      this.#refused.delete(name);
    }
    await this.#compare(schedules);
  }

  /** Once: another gateway may have a newer file, so what only an earlier one has named is not removed. */
  async #compare(schedules: Schedules): Promise<void> {
    if (this.#isCompared) {
      return;
    }
    const { register, logger } = this.#options;
    const entries = await register.list();
    this.#isCompared = true;
    const unnamed = entries.filter((entry) => fileOf(entry) !== undefined && !schedules.has(entry.name));
    if (unnamed.length > 0) {
      logger.warn(
        { schedules: unnamed.slice(0, maxNamed).map(({ name }) => name), count: unnamed.length },
        'schedules of an earlier functions file are not in this one, and go on until they are deleted',
      );
    }
  }

  /** Whether the schedule is stored. One that is refused is tried again: its function may be registered later. */
  async #put(name: string, settings: ScheduleSettings): Promise<boolean> {
    const { register, context } = this.#options;
    const checked = checkCalls(settings, anyone, { ...context, createCallId });
    if (checked.kind === 'refused') {
      this.#logRefusal(name, checked);
      return false;
    }
    this.#refused.delete(name);
    await register.change(name, (there, change) =>
      withFileSettings(there?.entry, { settings, template: checked.template }, change),
    );
    return true;
  }

  /** Each reason once. */
  #logRefusal(name: string, { code, detail }: Refusal): void {
    const { logger } = this.#options;
    if (this.#refused.get(name) === detail) {
      return;
    }
    this.#refused.set(name, detail);
    if (code === 'unknown_function') {
      logger.warn({ schedule: name, detail }, 'a schedule of the functions file waits for its function');
    } else {
      logger.error({ schedule: name, detail }, 'a schedule of the functions file is not valid');
    }
  }
}

/** Finds what is wrong with the calls of a schedule of a functions file, each problem with the setting that it is about. */
export function callProblemsOf(callbackPolicy: Pick<CallbackPolicy, 'objectTo'>): CallProblems {
  const context = {
    // The file is not in force yet, and functions that only the API knows may be steps.
    lookup: (name: string): FunctionConfig => ({ ...ofApi, name }),
    names: { namesOf: (name: string) => [name] },
    knowsAll: () => true,
    createCallId,
    callbackPolicy,
    now: Date.now,
  };
  const problemOf = (settings: ScheduleSettings, keys: readonly string[]): ReturnType<CallProblems> => {
    const checked = checkCalls(settings, anyone, context);
    return checked.kind === 'refused' ? [{ keys, problem: `is refused: ${checked.detail}` }] : [];
  };
  return (settings) => {
    const whole = problemOf(settings, ['headers']);
    const { headers = {}, path, ...others } = settings;
    const found = [
      ...problemOf({ ...others, path: path ?? '' }, ['path']),
      ...Object.keys(headers).flatMap((name) =>
        problemOf({ ...others, headers: withNeeded(headers, name) }, ['headers', name]),
      ),
    ];
    return whole.length === 0 || found.length === 0 ? whole : found;
  };
}

/** A header alone, to see what is wrong with it, but with the one that it is about. */
function withNeeded(headers: NonNullable<ScheduleSettings['headers']>, name: string) {
  const needed = name.toLowerCase() === 'x-flow-control' ? 'x-flow-key' : undefined;
  return Object.fromEntries(Object.entries(headers).filter(([each]) => each === name || each.toLowerCase() === needed));
}

const ofApi: Omit<FunctionConfig, 'name'> = {
  url: 'http://unknown',
  queue: 'default',
  timeoutMs: 0,
  concurrency: undefined,
  maxPending: undefined,
  adaptive: true,
  retry: { attempts: undefined, minWaitMs: undefined, maxWaitMs: undefined, backoff: undefined, codes: undefined },
};
