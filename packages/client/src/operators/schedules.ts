import type { AcceptedCall, Schedule, ScheduleDetail, ScheduleSettings } from '../api/index.ts';
import { getJson, nothingOf, type RequestOptions, sendJson, type Transport, toPath } from '../http/index.ts';
import { isGone } from './calls.ts';

/** Schedules, which call functions by themselves. `unknown_schedule` for a name that is not there. */
export class Schedules {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All schedules, by name, without their last calls. */
  async list(options: RequestOptions = {}): Promise<Schedule[]> {
    const { schedules } = await getJson<{ schedules: Schedule[] }>(this.#transport, '/system/schedules', options);
    return schedules;
  }

  /** One schedule: its settings, its next five moments and its last calls. */
  async get(name: string, options: RequestOptions = {}): Promise<ScheduleDetail> {
    return await getJson<ScheduleDetail>(this.#transport, pathOf(name), options);
  }

  /** Stores a schedule, or replaces its settings. `invalid_schedule` names every setting that is wrong. */
  async put(name: string, settings: ScheduleSettings, options: RequestOptions = {}): Promise<ScheduleDetail> {
    const request = { method: 'PUT', path: pathOf(name), repeat: 'safe' } as const;
    return await sendJson<ScheduleDetail>(this.#transport, request, options, settings);
  }

  /** Removes a schedule. Calls that it has made are not affected. */
  async remove(name: string, { signal }: RequestOptions = {}): Promise<void> {
    const request = { method: 'DELETE', path: pathOf(name), repeat: 'safe', signal } as const;
    await this.#transport.request<true>(request, nothingOf, isGone);
  }

  /** It makes no calls until it is resumed, and does not make up for them. */
  async pause(name: string, options: RequestOptions = {}): Promise<ScheduleDetail> {
    const request = { method: 'POST', path: pathOf(name, 'pause'), repeat: 'safe' } as const;
    return await sendJson<ScheduleDetail>(this.#transport, request, options);
  }

  /** Ends a pause, with the first moment from now on. */
  async resume(name: string, options: RequestOptions = {}): Promise<ScheduleDetail> {
    const request = { method: 'POST', path: pathOf(name, 'resume'), repeat: 'safe' } as const;
    return await sendJson<ScheduleDetail>(this.#transport, request, options);
  }

  /** Makes one call now, even if the schedule is paused. Not sent again if no answer comes. */
  async trigger(name: string, options: RequestOptions = {}): Promise<AcceptedCall> {
    const request = { method: 'POST', path: pathOf(name, 'trigger'), repeat: 'refused' } as const;
    return await sendJson<AcceptedCall>(this.#transport, request, options);
  }
}

function pathOf(name: string, ...parts: readonly string[]): string {
  return `/system/schedules${toPath(name, ...parts)}`;
}
